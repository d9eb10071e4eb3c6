import { setTimeout as delay } from 'node:timers/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../test/support/berth.ts';
import { kubeconfigFor, slice, startSliceServer } from '../../test/support/slice-server.ts';
import type { SliceServer } from '../../test/support/slice-server.ts';
import { ClusterPlace } from '../domain/host-access.ts';
import type { Clock } from '../io/clock.ts';
import { localWorld } from '../io/local-world.ts';
import type { Place } from './client.ts';
import { clusterWorld, placeOf } from './cluster-world.ts';
import type { KubeEndpoint } from './endpoints.ts';
import { fleetEndpoints } from './follow-endpoints.ts';

const toy = { 'berth.dev/fleet-id': 'k3x9', 'app.kubernetes.io/name': 'toy' };

async function placeAt(url: string): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'berth kube '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config'), kubeconfigFor(url));
  const home = { ...localWorld(), env: { KUBECONFIG: join(folder, 'config') } };
  return placeOf(await clusterWorld(home, ClusterPlace.parse({ context: 'k3s', namespace: 'llm' })));
}

/** Hours pass in it, and a moment on the wall. */
function quickClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    wall: () => new Date(),
    sleep: async (ms, signal) => {
      now += ms;
      await delay(2, undefined, signal ? { signal } : {});
    },
  };
}

interface Followed {
  readonly server: SliceServer;
  readonly pods: () => string[];
  readonly seen: () => readonly KubeEndpoint[];
  readonly told: string[];
}

async function followed(
  kserve: readonly string[] = [],
  before?: (server: SliceServer) => void,
): Promise<Followed> {
  const server = await startSliceServer();
  onTestFinished(() => server.stop());
  before?.(server);
  const { first, follow } = await fleetEndpoints(await placeAt(server.url), { fleetId: 'k3x9', kserve });
  let seen = first;
  const told: string[] = [];
  const ending = new AbortController();
  const ended = follow({
    clock: quickClock(),
    signal: ending.signal,
    onEndpoints: (now) => (seen = now),
    onTrouble: (trouble) => void told.push(trouble?.kind ?? 'well'),
  });
  onTestFinished(async () => {
    ending.abort();
    await ended;
  });
  return { server, pods: () => seen.map(({ pod }) => pod), seen: () => seen, told };
}

function lists({ asked }: SliceServer): number {
  return asked.filter((query) => query.get('watch') === null).length;
}

test('pods that come, change and go are heard of by a watch from where the list ended, without another list', async () => {
  const { server, pods, seen } = await followed([], ({ put }) => put(slice('a', toy, { port: 1 })));
  expect(pods()).toEqual(['a']);
  await until(() => server.watching() === 1, 'the watch');
  const watch = server.asked.at(-1);
  expect([watch?.get('resourceVersion'), watch?.get('allowWatchBookmarks')]).toEqual(['11', 'true']);
  server.put(slice('b', toy, { port: 2 }));
  await until(() => pods().length === 2, 'b');
  server.put(slice('b', toy, { port: 3 }));
  await until(() => seen()[1]?.port === 3, 'the other port of b');
  server.remove('uid-a');
  await until(() => pods().join() === 'b', 'the end of a');
  expect([lists(server), server.watching()]).toEqual([1, 1]);
});

test('a watch that ends or breaks off goes on where it was, by the last bookmark, and misses nothing', async () => {
  const { server, pods, told } = await followed();
  await until(() => server.watching() === 1, 'the watch');
  server.bookmark();
  server.endWatches();
  await until(() => server.asked.at(-1)?.get('resourceVersion') === '15', 'a watch from the bookmark on');
  await until(() => server.watching() === 1, 'the watch again');
  await server.stop();
  server.put(slice('a', toy, { port: 1 }));
  await server.start();
  await until(() => pods().join() === 'a', 'what came meanwhile');
  expect(lists(server)).toBe(1);
  expect(told.filter((one) => one !== 'well' && one !== 'silent')).toEqual([]);
});

test('what a server has forgotten is listed anew, whether it says so by its status or by an event', async () => {
  const { server, pods } = await followed([], ({ put }) => put(slice('a', toy, { port: 1 })));
  await until(() => server.watching() === 1, 'the watch');
  server.forget();
  server.endWatches();
  await until(() => lists(server) === 2 && server.watching() === 1, 'another list');
  server.remove('uid-a');
  await until(() => pods().length === 0, 'the end of a');
  server.send({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
  await until(() => lists(server) === 3 && server.watching() === 1, 'a third list');
  server.put(slice('b', toy, { port: 1 }));
  await until(() => pods().join() === 'b', 'what the new watch tells');
  expect(lists(server)).toBe(3);
});

test('while nobody answers the last word counts, which is told once, and that they answer again', async () => {
  const { server, pods, told } = await followed([], ({ put }) => put(slice('a', toy, { port: 1 })));
  await until(() => server.watching() === 1, 'the watch');
  await server.stop();
  await until(() => told.length === 1, 'the silence to be told');
  await delay(50);
  expect([told, pods()]).toEqual([['silent'], ['a']]);
  await server.start();
  await until(() => told.length === 2, 'the answer to be told');
  expect(told).toEqual(['silent', 'well']);
});

test('where nobody may watch it is asked each second, which is told, until watching is allowed', async () => {
  const { server, pods, told } = await followed([], (one) => (one.refuses = 403));
  await until(() => told.length === 1, 'it to be told');
  server.put(slice('a', toy, { port: 1 }));
  await until(() => pods().join() === 'a', 'a by a list');
  expect(told).toEqual(['asked']);
  server.refuses = 0;
  await until(() => server.watching() === 1, 'a watch');
  expect(told).toEqual(['asked', 'well']);
});

test('pods of an InferenceService are found by its name, whatever its port is called; other parts and fleets are not', async () => {
  const service = { 'serving.kserve.io/inferenceservice': 'big' };
  const { pods, seen } = await followed(['big', 'big-1'], ({ put }) => {
    put(slice('engine', { ...service, component: 'predictor' }, { port: 8080, name: '' }));
    put(slice('rewriter', { ...service, component: 'transformer' }, { port: 8080 }));
    put(slice('theirs', { ...service, 'berth.dev/fleet-id': 'other' }, { port: 8080 }));
    put(slice('stranger', { 'serving.kserve.io/inferenceservice': 'small' }, { port: 8080 }));
    put(
      slice('both', { ...toy, 'serving.kserve.io/inferenceservice': 'big-1' }, { port: 9000, name: 'web' }),
    );
    put(slice('a', toy, { port: 1 }));
  });
  expect(pods()).toEqual(['a', 'both', 'engine']);
  expect(seen().map(({ by, name, port }) => [by, name, port])).toEqual([
    ['berth', 'toy', 1],
    ['kserve', 'big-1', 9000],
    ['kserve', 'big', 8080],
  ]);
});
