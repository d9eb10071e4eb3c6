import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { podMark } from '../../../test/support/cluster-pod.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { RanState } from '../../domain/ran-states.ts';
import { placesOf } from '../../io/places.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { keepRan, readRan } from './ran-states.ts';

const labels = { 'berth.dev/fleet': podMark.fleet, 'berth.dev/fleet-id': podMark.fleetId };
const fleet = { fleet: podMark.fleet, fleetId: podMark.fleetId };

/** A cluster that keeps what is applied to one object, whose is as its labels say. */
function keeping(path: string, owner: Record<string, string> = labels) {
  const kept: { metadata: Record<string, unknown>; [part: string]: unknown } = {
    metadata: { name: 'chat', uid: 'd', labels: owner },
  };
  return ({ key, body }: Asked): [number, unknown] | undefined => {
    if (!key.endsWith(path)) return undefined;
    const { metadata, ...rest } = (body ?? {}) as { metadata?: object };
    Object.assign(kept.metadata, metadata);
    Object.assign(kept, rest);
    return [200, { ...kept, metadata: { ...kept.metadata, labels: owner }, spec: {} }];
  };
}

function stateOf(kind: string, at: string, slots: number): RanState {
  const { target, address, port, declared, spec } = podMark;
  return { at, target: { ...target, kind }, address, port, pinned: true, declared, spec: { ...spec, slots } };
}

/** The same cluster as somebody sees it who has applied nothing yet. */
function somebody(world: World): World {
  const folder = mkdtempSync(join(tmpdir(), 'berth somebody '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { ...world, places: placesOf({}, folder) };
}

test.each([
  ['kubernetes', '/deployments/chat'],
  ['kserve', '/configmaps/chat-mark'],
])('what ran before as %s is found by whoever else may change the cluster', async (kind, path) => {
  const { world, asked } = await servedCluster(keeping(path));
  const [one, other] = [somebody(world), somebody(world)];
  const place = { deployment: 'chat', replica: 0, target: { kind } };
  const states = [
    stateOf(kind, '2026-01-01T00:00:00.000Z', 1),
    stateOf(kind, '2026-01-02T00:00:00.000Z', 2),
    stateOf(kind, '2026-01-03T00:00:00.000Z', 3),
  ] as const;
  for (const state of states.slice(0, 2)) await keepRan(one, { fleet, place, state });
  expect(await readRan(other, fleet, place)).toEqual(states.slice(0, 2));

  await keepRan(other, { fleet, place, state: states[2] });
  expect(await readRan(one, fleet, place)).toEqual(states.slice(1));

  const sent = asked.filter(({ key }) => key.startsWith('PATCH'));
  expect(sent.map(({ query }) => query.get('fieldManager'))).toEqual(Array(3).fill('berth-ran'));
  // The pods of a template that is not sent stay.
  for (const { body } of sent) expect(body).not.toHaveProperty('spec');
});

test('what whoever may change a cluster says of processes is nothing to go back to', async () => {
  const { world } = await servedCluster(keeping('/deployments/chat'));
  const place = { deployment: 'chat', replica: 0, target: { kind: 'kubernetes' } };
  const [process, pods] = [
    stateOf('process', '2026-01-01T00:00:00.000Z', 1),
    stateOf('kubernetes', '2026-01-02T00:00:00.000Z', 2),
  ];
  const text = JSON.stringify({ version: 1, states: [process, pods] });
  await targetOf('kubernetes').record.keep(world, { ...fleet, ...place }, text, {});
  expect(await readRan(somebody(world), fleet, place)).toEqual([pods]);
});

test('what ran is put on nothing that is of another fleet', async () => {
  const { world, asked } = await servedCluster(
    keeping('/deployments/chat', { ...labels, 'berth.dev/fleet-id': 'other' }),
  );
  const here = somebody(world);
  const place = { deployment: 'chat', replica: 0, target: { kind: 'kubernetes' } };
  const state = stateOf('kubernetes', '2026-01-01T00:00:00.000Z', 1);
  await keepRan(here, { fleet, place, state });
  expect(asked.map(({ key }) => key.split(' ')[0])).not.toContain('PATCH');
  expect(await readRan(here, fleet, place)).toEqual([state]);
  expect(await readRan(somebody(world), fleet, place)).toEqual([]);
});
