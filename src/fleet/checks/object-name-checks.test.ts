import { expect, test } from 'vitest';
import { readTree } from '../file/tree.ts';
import { objectNameFaults } from './object-name-checks.ts';

function faultsOf(...lines: readonly string[]): string[] {
  const text = ['fleet: lab', ...lines].join('\n');
  const { tree, faults } = readTree('berth.yaml', text);
  expect(faults).toEqual([]);
  return tree === null
    ? []
    : objectNameFaults(tree).map((one) => `${one.line}:${one.column} ${one.path}: ${one.message}`);
}

function unit(host: string, name: string, more = ''): string {
  return `{host: ${host}, target: {kind: systemd, unit: ${name}}${more}}`;
}

function node(port: number, type: string): string {
  return `target: {kind: kubernetes, service: {type: ${type}, nodePort: ${port}}}`;
}

test('a replica that is called as another deployment is told, names that differ are not', () => {
  expect(faultsOf('deployments:', '  x: {replicas: 2}', '  x-1: {}')).toEqual([
    '4:3 deployments.x-1: The name x-1 is taken twice: x has it too.',
  ]);
  expect(faultsOf('deployments:', '  x: {replicas: 2}', '  x-2: {replicas: 3}', '  X: {}')).toEqual([]);
});

test('units of one name are told for the host that they would share', () => {
  const hosts = 'hosts: {one: {ssh: a}, two: {ssh: b}}';
  expect(
    faultsOf(
      hosts,
      'deployments:',
      `  a: ${unit('one', 'same')}`,
      `  b: ${unit('one', '{name: same.service}')}`,
      `  c: ${unit('two', 'same')}`,
      `  d: ${unit('one', 'same@', ', replicas: 2')}`,
      `  e: ${unit('one', 'berth-lab-f')}`,
      '  f: {host: one, target: {kind: systemd, hardening: off}}',
    ),
  ).toEqual([
    '5:49 deployments.b.target.unit.name: The unit same.service is named twice on this machine: a has it too.',
    '9:3 deployments.f: The unit berth-lab-f.service is named twice on this machine: e has it too.',
  ]);
});

test('the systemd of a machine and that of a user each have units of that name, by whichever host they are meant', () => {
  const deployments = ['deployments:', `  a: ${unit('one', 'same')}`, `  b: ${unit('two', 'same')}`];
  expect(faultsOf('hosts: {one: {ssh: a, become: sudo}, two: {ssh: a}}', ...deployments)).toEqual([]);
  expect(faultsOf('hosts: {one: {become: sudo}, two: {}}', ...deployments)).toEqual([]);
  expect(faultsOf('hosts: {one: {ssh: a}, two: {ssh: "ssh://a"}}', ...deployments)).toEqual([
    '5:42 deployments.b.target.unit: The unit same.service is named twice on this machine: a has it too.',
  ]);
});

test('a port of the nodes belongs to one Service of a cluster', () => {
  expect(
    faultsOf(
      'hosts: {k: {kubernetes: {}}}',
      'deployments:',
      `  a: {replicas: 3, ${node(31000, 'NodePort')}}`,
      `  b: {${node(31000, 'LoadBalancer')}}`,
      `  c: {${node(31000, 'ClusterIP')}}`,
      `  d: {${node(31001, 'NodePort')}}`,
    ),
  ).toEqual([
    '4:73 deployments.a.target.service.nodePort: The port 31000 of the nodes is taken twice: another of its replicas has it too.',
    '5:64 deployments.b.target.service.nodePort: The port 31000 of the nodes is taken twice: a has it too.',
  ]);
});

test('no engine is called as the gateway that stands beside it', () => {
  const deployments = ['deployments:', '  berth-gateway: {host: k}'];
  expect(faultsOf('gateway: {host: k}', ...deployments)).toEqual([
    '4:3 deployments.berth-gateway: The name berth-gateway is that of the gateway on host k.',
  ]);
  expect(faultsOf(...deployments)).toEqual([]);
});
