import { expect, test } from 'vitest';
import { destinationOf, destinationsOf, movedTo, placeName } from './destination.ts';

type Hosts = Parameters<typeof destinationsOf>[0];

const kubernetes = { context: 'k3s', namespace: 'llm', createNamespace: false };
const hosts = {
  local: { become: 'none', reserve: [] },
  box: { local: true, become: 'none', reserve: [] },
  far: { ssh: 'opc@a10', become: 'none', reserve: [] },
  k3s: { kubernetes, become: 'none', reserve: [] },
} as Hosts;
const now = { host: 'box', target: { kind: 'process' } };

test('each machine is offered once, by the name that it has in the file, with the targets that can be there', () => {
  expect(destinationsOf(hosts, now).map(placeName)).toEqual([
    'box/process',
    'box/systemd',
    'box/docker',
    'far/process',
    'far/systemd',
    'far/docker',
    'k3s/kubernetes',
    'k3s/kserve',
  ]);
});

test.each([
  ['far', 'far/process'],
  ['k3s', 'k3s/kubernetes'],
  ['systemd', 'box/systemd'],
  ['kserve', 'k3s/kserve'],
  ['far/docker', 'far/docker'],
])('--to %s is %s', (to, place) => {
  expect(placeName(destinationOf(hosts, now, to))).toBe(place);
});

test.each([
  ['nowhere', 'a host (local, box, far, k3s), a target'],
  ['nowhere/docker', 'a host'],
  ['k3s/docker', 'host k3s has kubernetes, kserve, and not docker'],
])('--to %s is refused: %s', (to, why) => {
  expect(() => destinationOf(hosts, now, to)).toThrow(why);
});

test('a target that several hosts could have wants the host named', () => {
  const inCluster = { host: 'k3s', target: { kind: 'kubernetes' } };
  expect(() => destinationOf(hosts, inCluster, 'docker')).toThrow('box/docker, far/docker');
});

test('only what changes is written', () => {
  const text = 'deployments:\n  a: {host: box, target: {kind: systemd, unit: x}} # eyes\n';
  const a = { name: 'a', host: 'box', target: { kind: 'systemd', unit: 'x' } };
  expect(movedTo(text, a, { host: 'box', target: 'systemd' })).toBe(text);
  expect(movedTo(text, a, { host: 'far', target: 'systemd' })).toBe(text.replace('box', 'far'));
  expect(movedTo(text, a, { host: 'k3s', target: 'kubernetes' })).toBe(
    'deployments:\n  a: {host: k3s, target: {kind: kubernetes}} # eyes\n',
  );
});
