import { expect, test } from 'vitest';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { LiveRequests } from '../../domain/live-request.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { createHungWatch } from './hung-watch.ts';

const spec = { readiness: { path: '/health', startTimeoutMs: 1_000 }, metricsPath: null, secrets: {} };
const engine = {
  object: { target: 'process', id: '1', name: 'process 1' },
  process: null,
  startedAt: new Date(0).toISOString(),
  mark: { deployment: 'a', replica: 0, address: '127.0.0.1', port: 1, spec } as unknown as Mark,
} as unknown as Instance & { readonly mark: Mark };

const patience = { idleMs: 10_000, busyMs: 100_000 };

/** Seconds until an engine that is silent from its start is said to hang; null: not in ten minutes. */
async function firstHang(requests: () => Promise<LiveRequests | null>): Promise<number | null> {
  let now = 0;
  const world: World = {
    ...localWorld(),
    http: { ...localWorld().http, request: () => Promise.reject(new Error('silent')) },
    clock: { ...localWorld().clock, now: () => now, wall: () => new Date(3_600_000) },
  };
  const watch = createHungWatch(world, { patience: () => patience, requests, idOf: () => 'a' });
  for (; now < 600_000; now += 1_000) {
    watch.look([engine]);
    // What is asked is answered at once.
    await new Promise(setImmediate);
    if (watch.hung([engine]).length > 0) return now / 1_000;
  }
  return null;
}

test('an engine that nobody is known to ask has the short patience', async () => {
  expect(await firstHang(() => Promise.resolve(null))).toBe(10);
});

test('while the gateway does not tell what is under way, it may be with this engine', async () => {
  expect(await firstHang(() => Promise.reject(new Error('busy')))).toBe(100);
});
