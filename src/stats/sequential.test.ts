import { expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { bandOf, leastFor, logGamma, quantileIn, ratioEvidence, shareIn } from './sequential.ts';

test('the logarithm of the gamma function is that of factorials, and of √π at one half', () => {
  expect(logGamma(1)).toBeCloseTo(0, 10);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 9);
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 9);
});

test('the band is that of the paper and closes as values come', () => {
  // 0.85 √((log(1 + log 1000) + 0.8 log(1612/0.05)) / 1000)
  expect(bandOf(1000, 0.05)).toBeCloseTo(0.0866, 4);
  expect(bandOf(100_000, 0.05)).toBeLessThan(0.01);
  expect(bandOf(leastFor(0.95, 0.05), 0.05)).toBeLessThan(0.05);
});

test('a quantile of a histogram lies in its bucket, and its interval takes whole buckets', () => {
  const bounds = [1, 2, 3];
  expect(quantileIn([0, 0, 0, 0], bounds, { quantile: 0.5, alpha: 0.05 })).toBeNull();
  expect(quantileIn([10_000, 20_000, 10_000, 0], bounds, { quantile: 0.5, alpha: 0.05 })).toEqual({
    value: 1.5,
    low: 1,
    high: 2,
  });
  expect(quantileIn([5, 5, 0, 0], bounds, { quantile: 0.95, alpha: 0.05 })).toMatchObject({
    low: 0,
    high: null,
  });
  expect(shareIn(50, 1000, { alpha: 0.05 })?.low).toBe(0);
  const wide = quantileIn([10_000, 20_000, 10_000, 0], bounds, { quantile: 0.5, alpha: 0.05, worth: 3 });
  expect(wide).toEqual({ value: 1.5, low: 0, high: null });
});

test('looking after every value, the band misses the distribution less often than it says', () => {
  const random = seededRandom(42);
  const paths = 200;
  let missed = 0;
  for (let path = 0; path < paths; path += 1) {
    let below = 0;
    for (let n = 1; n <= 2000; n += 1) {
      if (random.next() < 0.5) below += 1;
      if (Math.abs(below / n - 0.5) > bandOf(n, 0.2)) {
        missed += 1;
        break;
      }
    }
  }
  expect(missed / paths).toBeLessThanOrEqual(0.2);
});

test('clients that were dealt out as the weights say are seldom taken for others, those that were not soon', () => {
  const random = seededRandom(7);
  let alarms = 0;
  for (let path = 0; path < 200; path += 1) {
    const counts = [0, 0];
    for (let n = 0; n < 500; n += 1) {
      counts[random.next() < 0.7 ? 0 : 1]! += 1;
      if (ratioEvidence(counts, [7, 3]) >= 20) {
        alarms += 1;
        break;
      }
    }
  }
  expect(alarms / 200).toBeLessThanOrEqual(0.05);
  expect(ratioEvidence([1100, 900], [1, 1])).toBeGreaterThan(1000);
});
