import { expect, test } from 'vitest';
import { watchClient } from './client-load.ts';

test('a machine that slept is told by its wall clock, which went further than the other one', () => {
  const clocks = { now: 1000, wall: 5000 };
  const stop = watchClient({ monotonic: () => clocks.now, wall: () => clocks.wall });
  clocks.now += 2000;
  clocks.wall += 62_000;
  expect(stop()).toMatchObject({ elapsedMs: 2000, clockDriftMs: 60_000 });
});
