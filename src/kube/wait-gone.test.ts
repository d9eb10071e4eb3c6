import { expect, test } from 'vitest';
import { systemClock } from '../io/clock.ts';
import { servedCluster } from '../../test/support/kube-server.ts';
import { Live } from './client.ts';
import { waitGone } from './wait-gone.ts';

test('what a finalizer keeps is waited for, but not for ever, and is named with who has to let it go', async () => {
  let now = 0;
  const clock = {
    ...systemClock,
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  const { world, place } = await servedCluster(() => undefined, { clock });
  const object = Live.parse({
    metadata: { name: 'a', uid: 'u', deletionTimestamp: '2026-11-29T12:00:00Z', finalizers: ['x.dev/keep'] },
  });
  const left = {
    graceMs: 1000,
    pods: () => Promise.resolve([]),
    rest: () => Promise.resolve({ kind: 'inference service', object }),
  };
  await expect(waitGone(world, place, left)).rejects.toMatchObject({
    code: 'NOT_ENDING',
    message: expect.stringMatching(/^inference service a does not end: its finalizers \(x\.dev\/keep\)/),
  });
  expect(now).toBeGreaterThan(60_000);
  await waitGone(world, place, { ...left, rest: () => Promise.resolve(null) });
});
