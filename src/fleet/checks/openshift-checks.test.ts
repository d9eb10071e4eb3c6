import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { crossFaults } from './cross-checks.ts';

function faultsFor(kubernetes: string, target: string): string[] {
  const text = [
    'version: 1',
    'fleet: lab',
    `hosts: {k: {kubernetes: {context: c, ${kubernetes}}}}`,
    `deployments: {d: {engine: {kind: embedded}, target: {kind: kubernetes, ${target}}}}`,
  ];
  const { tree } = readTree('berth.yaml', text.join('\n'));
  const told = tree === null ? [] : crossFaults(tree);
  return told
    .filter(({ path }) => path.endsWith('.user'))
    .map(({ line, message, cure }) => `${line} ${message} ${cure}`);
}

test('a user is not named where the cluster chooses it', () => {
  expect(faultsFor('openshift: true', 'user: "1000"')).toEqual([
    '4 OpenShift chooses the user of its pods itself, and refuses others. Leave target.user out; or remove hosts.k.kubernetes.openshift, where its rules let pods name one.',
  ]);
  expect(faultsFor('openshift: false', 'user: "1000"')).toEqual([]);
  expect(faultsFor('openshift: true', 'pull: Never')).toEqual([]);
});
