import { expect, test } from 'vitest';
import type { Strategy } from '../../domain/load-shape.ts';
import { seededRandom } from '../../stats/random.ts';
import { openSchedule } from './arrivals.ts';

type Open = Extract<Strategy, { kind: 'open' }>;

const noLimit = {
  warmup: { kind: 'none' },
  limits: { seconds: null, requests: null, errors: null, errorRate: null },
} as const;

function open(rate: Open['rate'], arrivals: Open['arrivals'] = { process: 'gamma', shape: 1 }): Open {
  return { kind: 'open', arrivals, rate, maxInFlight: 1 };
}

function steady(rate: number): Open['rate'] {
  return [{ from: rate, to: rate, seconds: null }];
}

function gapsOf(due: Float64Array): number[] {
  return [...due.subarray(1)].map((at, i) => (at - (due[i] as number)) / 1e6);
}

/** Kolmogorov and Smirnov's greatest distance from the exponential distribution of this rate. */
function distanceFromExponential(gaps: readonly number[], rate: number): number {
  const sorted = gaps.toSorted((a, b) => a - b);
  return sorted.reduce((most, gap, i) => {
    const expected = 1 - Math.exp(-rate * gap);
    return Math.max(
      most,
      Math.abs(expected - i / sorted.length),
      Math.abs(expected - (i + 1) / sorted.length),
    );
  }, 0);
}

/** Variance over mean of the counts in windows: 1 for Poisson, 0 for a clock, above 1 for bursts. */
function fano(due: Float64Array, seconds: number): number {
  const windows = Math.floor((due.at(-1) as number) / 1e6 / seconds);
  const counts = Array.from({ length: windows }, () => 0);
  for (const at of due) {
    const window = Math.floor(at / 1e6 / seconds);
    if (window < windows) counts[window] = (counts[window] as number) + 1;
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / windows;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / windows / mean;
}

test('a constant rate is a clock: the first start at once, then one each 1/rate', () => {
  const plan = { ...noLimit, limits: { ...noLimit.limits, seconds: null, requests: 5 } };
  const { due, warmup } = openSchedule(open(steady(4), { process: 'constant' }), plan, seededRandom(1));
  expect([...due]).toEqual([0, 250_000, 500_000, 750_000, 1_000_000]);
  expect(warmup).toBe(0);
});

test.each([1, 2, 3])('Poisson arrivals pass the tests of Kolmogorov-Smirnov and Fano, seed %i', (seed) => {
  const plan = { ...noLimit, limits: { ...noLimit.limits, seconds: null, requests: 20_000 } };
  const { due } = openSchedule(open(steady(50)), plan, seededRandom(seed));
  expect(due.length).toBe(20_000);
  // 1.63/√n is passed by 99 % of true samples.
  expect(distanceFromExponential(gapsOf(due), 50)).toBeLessThan(1.63 / Math.sqrt(due.length));
  expect(fano(due, 1)).toBeGreaterThan(0.75);
  expect(fano(due, 1)).toBeLessThan(1.25);
  expect(20_000 / ((due.at(-1) as number) / 1e6)).toBeCloseTo(50, -0.5);
});

test('a shape below 1 comes in bursts, one far above 1 like a clock, both at the same mean rate', () => {
  const plan = { ...noLimit, limits: { ...noLimit.limits, seconds: null, requests: 20_000 } };
  const [bursts, even] = [0.25, 16].map(
    (shape) => openSchedule(open(steady(50), { process: 'gamma', shape }), plan, seededRandom(7)).due,
  ) as [Float64Array, Float64Array];
  expect(fano(bursts, 1)).toBeGreaterThan(2);
  expect(fano(even, 1)).toBeLessThan(0.3);
  for (const due of [bursts, even]) expect(due.length / ((due.at(-1) as number) / 1e6)).toBeCloseTo(50, -0.7);
});

test('a ramp has as many starts as its area, and they lie where the rate is high', () => {
  const ramp = open(
    [
      { from: 0, to: 100, seconds: 10 },
      { from: 100, to: 100, seconds: 5 },
      { from: 100, to: 0, seconds: 10 },
    ],
    { process: 'constant' },
  );
  const { due } = openSchedule(ramp, noLimit, seededRandom(1));
  expect(due.length).toBe(1500);
  function within(from: number, to: number): number {
    return due.filter((at) => at >= from * 1e6 && at < to * 1e6).length;
  }
  expect(within(0, 5)).toBe(125);
  expect(within(5, 10)).toBe(375);
  expect(within(10, 15)).toBe(500);
  expect(within(15, 25)).toBe(500);
});

test('warm-up comes first, and limits count from the first measured start', () => {
  const counted = openSchedule(
    open(steady(10), { process: 'constant' }),
    { warmup: { kind: 'requests', count: 20 }, limits: { ...noLimit.limits, seconds: 2, requests: null } },
    seededRandom(1),
  );
  expect([counted.due.length, counted.warmup]).toEqual([40, 20]);
  const timed = openSchedule(
    open(steady(10), { process: 'constant' }),
    { warmup: { kind: 'seconds', seconds: 1 }, limits: { ...noLimit.limits, seconds: null, requests: 7 } },
    seededRandom(1),
  );
  expect([timed.due.length, timed.warmup]).toEqual([17, 10]);
});

test('the same seed gives the same starts, another seed others', () => {
  const plan = { ...noLimit, limits: { ...noLimit.limits, seconds: 3, requests: null } };
  const [a, b, c] = [5, 5, 6].map((seed) => openSchedule(open(steady(20)), plan, seededRandom(seed)).due);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});
