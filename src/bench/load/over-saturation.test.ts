import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { isOverSaturated } from './over-saturation.ts';
import type { FirstToken, LoadMoment } from './over-saturation.ts';

/** A queue with one server: Poisson arrivals at `rate`, each served in a fixed time; the load is looked at twice a second. */
function simulate(
  rate: number,
  serviceSeconds: number,
  seed: number,
): { load: LoadMoment[]; tokens: FirstToken[] } {
  const random = seededRandom(seed, 0);
  const tokens: FirstToken[] = [];
  const stays: [number, number][] = [];
  let free = 0;
  for (let at = 0; at < 60; at += -Math.log(1 - random.next()) / rate) {
    const begun = Math.max(at, free);
    free = begun + serviceSeconds;
    stays.push([at, free]);
    tokens.push({ at: begun + 0.05, ttftMs: (begun - at + 0.05) * 1000 });
  }
  const load = Array.from({ length: 120 }, (_, i) => i / 2).map((at) => ({
    at,
    inFlight: stays.filter(([from, to]) => from <= at && to > at).length,
  }));
  return { load, tokens };
}

function verdicts(rate: number): number {
  let stopped = 0;
  for (let seed = 0; seed < 200; seed += 1) {
    const { load, tokens } = simulate(rate, 0.1, seed);
    const found = [30, 40, 50, 60].some((now) => {
      const seen = tokens.filter(({ at }) => at <= now);
      return isOverSaturated(
        load.filter(({ at }) => at <= now),
        seen,
        { now, window: 30 },
      );
    });
    if (found) stopped += 1;
  }
  return stopped / 200;
}

test('a queue far past its capacity is found, one at half of it hardly ever', () => {
  expect(verdicts(15)).toBeGreaterThan(0.95);
  expect(verdicts(5)).toBeLessThan(0.02);
});

test('without figures of the whole window there is no verdict', () => {
  const { load, tokens } = simulate(15, 0.1, 1);
  const early = { load: load.filter(({ at }) => at <= 20), tokens: tokens.filter(({ at }) => at <= 20) };
  expect(isOverSaturated(early.load, early.tokens, { now: 20, window: 30 })).toBe(false);
});
