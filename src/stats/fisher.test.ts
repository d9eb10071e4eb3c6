import { expect, test } from 'vitest';
import { binomialChances, fisherGreater } from './fisher.ts';
import { quantileBounds } from './quantile-bounds.ts';
import { seededRandom } from './random.ts';

test("Fisher's test gives the chances of his own table of cups of tea", () => {
  // 3 of 4 right, with 4 of 8 to be right at all: 17/70, and all four right: 1/70.
  expect(fisherGreater({ hits: 3, of: 4 }, { hits: 1, of: 4 })).toBeCloseTo(17 / 70, 10);
  expect(fisherGreater({ hits: 4, of: 4 }, { hits: 0, of: 4 })).toBeCloseTo(1 / 70, 10);
});

test("Fisher's test says nothing where nothing is known, and little where little is", () => {
  expect(fisherGreater({ hits: 0, of: 0 }, { hits: 0, of: 0 })).toBe(1);
  expect(fisherGreater({ hits: 5, of: 5 }, { hits: 0, of: 0 })).toBeCloseTo(1, 10);
  expect(fisherGreater({ hits: 0, of: 30 }, { hits: 4, of: 30 })).toBeCloseTo(1, 10);
  expect(fisherGreater({ hits: 1, of: 10 }, { hits: 0, of: 100 })).toBeGreaterThan(0.05);
});

test('the chances of a binomial count add up to one', () => {
  const chances = binomialChances(40, 0.9);
  expect(chances.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 10);
  expect(chances[40]).toBeCloseTo(0.9 ** 40, 12);
});

test('a quantile is bounded only on the sides on which there are values enough', () => {
  const values = Array.from({ length: 10 }, (_, i) => i + 1);
  // Below the smallest of ten the median lies with a chance of 2^-10.
  expect(quantileBounds(values, { quantile: 0.5, alpha: 0.001 })).toEqual({ value: 5.5, low: 1, high: 10 });
  expect(quantileBounds(values, { quantile: 0.5, alpha: 0.0005 })).toEqual({
    value: 5.5,
    low: null,
    high: null,
  });
  expect(quantileBounds(values, { quantile: 0.9, alpha: 0.001 })?.high).toBeNull();
  expect(quantileBounds([], { quantile: 0.5, alpha: 0.1 })).toBeNull();
});

test('the bounds of a quantile hold as often as they say', () => {
  const random = seededRandom(7);
  let beyond = 0;
  for (let round = 0; round < 2000; round += 1) {
    const values = Array.from({ length: 40 }, () => random.next());
    const found = quantileBounds(values, { quantile: 0.5, alpha: 0.05 });
    if ((found?.low ?? 0) > 0.5 || (found?.high ?? 1) < 0.5) beyond += 1;
  }
  // At most 10 % by construction, and not far less: 7.7 % for forty values.
  expect(beyond / 2000).toBeGreaterThan(0.05);
  expect(beyond / 2000).toBeLessThan(0.1);
});
