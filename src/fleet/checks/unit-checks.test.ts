import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { unitFaults } from './unit-checks.ts';

function faultsOf(target: string): string[] {
  const { tree, faults } = readTree('berth.yaml', `deployments:\n  d: {target: {${target}}}\n`);
  expect(faults).toEqual([]);
  return tree === null ? [] : unitFaults(tree).map(({ path, message }) => `${path}: ${message}`);
}

test('what means nothing in a container, or nothing without one, is told, and all of it at once', () => {
  expect(faultsOf('kind: systemd, container: {}, hardening: off, user: ai, unit: "llm@"')).toEqual([
    expect.stringMatching(/^deployments\.d\.target\.hardening: A container shuts the engine off by itself/),
    expect.stringMatching(/^deployments\.d\.target\.user: The user of a unit is not that of its container/),
    expect.stringMatching(/^deployments\.d\.target\.unit: Units of containers are no instances/),
  ]);
  expect(faultsOf('kind: systemd, container: {}, unit: {name: "llm@.service"}')).toEqual([
    expect.stringMatching(/^deployments\.d\.target\.unit\.name: /),
  ]);
  expect(faultsOf('kind: systemd, unit: {Container: {Tmpfs: /tmp}}')).toEqual([
    expect.stringMatching(/^deployments\.d\.target\.unit\.Container: There is no container here/),
  ]);
});

test.each([
  'kind: systemd, container: {}, unit: {name: llm, Container: {Tmpfs: /tmp}}',
  // Null takes away what the defaults say.
  'kind: systemd, container: {}, hardening: null, user: null',
  'kind: systemd, container: null, hardening: off, user: ai, unit: "llm@"',
  'kind: docker, user: "2000"',
])('%s is at odds with nothing', (target) => {
  expect(faultsOf(target)).toEqual([]);
});
