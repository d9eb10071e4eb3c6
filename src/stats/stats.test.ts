import { expect, test } from 'vitest';
import { bootstrapIntervals } from './bootstrap.ts';
import { percentile } from './percentile.ts';
import { seededRandom } from './random.ts';
import type { Summary } from './distribution.ts';
import { summarize } from './summary.ts';

test('a percentile is interpolated between the closest ranks', () => {
  expect(percentile([10, 20, 30, 40], 0.5)).toBe(25);
  expect(percentile([10, 20, 30, 40], 0.9)).toBeCloseTo(37, 10);
  expect(percentile([7], 0.99)).toBe(7);
});

test('the same seed gives the same numbers, evenly spread', () => {
  const one = seededRandom(42, 7);
  const two = seededRandom(42, 7);
  const drawn = Array.from({ length: 10_000 }, () => one.next());
  expect(drawn.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => two.next()));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
  expect(seededRandom(42, 8).next()).not.toBe(drawn[0]);
});

test('no value is a distribution of nothing, not of zeros', () => {
  expect(summarize([], { streams: 1, seed: 1 })).toBeNull();
});

test('few values get no interval and an unreliable p99', () => {
  const summary = summarize([1, 2, 3], { streams: 1, seed: 1 });
  expect(summary).toMatchObject({ n: 3, mean: 2, stddev: 1, p50: 2, p99Reliable: false });
  expect(summary?.interval).toEqual({ mean: null, p50: null, p95: null, p99: null });
});

test('intervals are the same again for the same seed and hold the sample mean', () => {
  const random = seededRandom(3);
  const values = Array.from({ length: 600 }, () => 100 + random.next());
  const one = summarize(values, { streams: 2, seed: 9 }) as Summary;
  expect(one).toEqual(summarize(values, { streams: 2, seed: 9 }));
  const [low, high] = one.interval.mean as [number, number];
  expect(low).toBeLessThan(one.mean);
  expect(high).toBeGreaterThan(one.mean);
});

test('block bootstrap of autocorrelated values covers the true mean about as often as it says', () => {
  const random = seededRandom(11);
  let covered = 0;
  for (let round = 0; round < 100; round += 1) {
    let level = 0;
    const values = Array.from({ length: 1000 }, () => {
      const noise = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
      level = 0.8 * level + noise;
      return level;
    });
    const found = bootstrapIntervals(values, { block: 50, quantiles: [], seed: round, resamples: 200 });
    const [low, high] = found?.mean ?? [1, -1];
    if (low <= 0 && high >= 0) covered += 1;
  }
  // 95 nominally; independent resampling would cover about half.
  expect(covered).toBeGreaterThanOrEqual(85);
});
