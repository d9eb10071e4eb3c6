import { expect, onTestFinished, test } from 'vitest';
import { servedCluster } from '../../test/support/kube-server.ts';
import { systemClock } from '../io/clock.ts';
import { applyObject } from './client.ts';
import type { Place } from './client.ts';

interface Lease {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly holderIdentity: string };
}

const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'chat' } };

interface Held {
  readonly place: Place;
  /** Another takes the lock over, as it does of one that is silent for long. */
  readonly takeOver: () => void;
  readonly sleep: (ms: number) => void;
  readonly release: () => void;
  readonly changes: () => number;
}

/** A machine that has the lock of a namespace, and whose clock on the wall goes on while it sleeps. */
async function holding(): Promise<Held> {
  let lease: Lease | null = null;
  let ahead = 0;
  const clock = { ...systemClock, wall: () => new Date(Date.now() + ahead) };
  const { world, place, asked } = await servedCluster(
    ({ key, body }) => {
      if (!key.includes('/leases')) return [200, { metadata: { name: 'chat', uid: 'u' } }];
      if (key.startsWith('DELETE')) lease = null;
      if (key.startsWith('PUT') || key.startsWith('POST')) lease = body as Lease;
      if (lease === null) return undefined;
      const metadata = { ...lease.metadata, name: 'berth', uid: 'l', resourceVersion: '1' };
      return [200, { ...lease, metadata }];
    },
    { clock },
  );
  const lock = await world.locks.take('any', 'berth apply here');
  if (!lock) throw new Error('It is not free.');
  onTestFinished(lock.release);
  return {
    place,
    takeOver: () => {
      const annotations = { 'berth.dev/holder': 'berth apply there' };
      lease = { metadata: { annotations }, spec: { holderIdentity: 'other' } };
    },
    sleep: (ms) => void (ahead += ms),
    release: lock.release,
    changes: () => asked.filter(({ key }) => key.startsWith('PATCH')).length,
  };
}

test('who slept and has lost the lock of a namespace to another changes nothing there any more', async () => {
  const { place, sleep, takeOver, changes, release } = await holding();
  await applyObject(place, object);
  sleep(60_000);
  takeOver();
  for (const _again of [1, 2])
    await expect(applyObject(place, object)).rejects.toMatchObject({
      code: 'LOCK_LOST',
      message: expect.stringMatching(
        /^The lock of namespace llm at http.* was lost while it was held: berth apply there has it by now/,
      ) as string,
    });
  expect(changes()).toBe(1);
  await applyObject(place, object, { dryRun: true });
  release();
  await applyObject(place, object);
  expect(changes()).toBe(3);
});

test('a lock that ran out meanwhile and that nobody has taken is taken up again', async () => {
  const { place, sleep, changes } = await holding();
  sleep(60_000);
  await applyObject(place, object);
  expect(changes()).toBe(1);
});
