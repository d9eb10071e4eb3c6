import { expect, test } from 'vitest';
import { designEffect } from './clustered.ts';
import { seededRandom } from './random.ts';

const none = { hits: 0, of: 0 };

test('values that are independent of each other weigh as what they are', () => {
  const random = seededRandom(1);
  const clusters = Array.from({ length: 400 }, () => {
    let hits = 0;
    for (let i = 0; i < 20; i += 1) hits += random.next() < 0.3 ? 1 : 0;
    return { hits, of: 20 };
  });
  expect(designEffect(clusters, none)).toBeLessThan(1.25);
  expect(designEffect([], { hits: 30, of: 100 })).toBeLessThan(1.05);
});

test('a client whose values are all alike weighs as one', () => {
  const clusters = Array.from({ length: 400 }, (_, i) => ({ hits: i % 2 === 0 ? 20 : 0, of: 20 }));
  expect(designEffect(clusters, none)).toBeCloseTo(20, 0);
  expect(designEffect([{ hits: 500, of: 1000 }], none)).toBe(1000);
  expect(
    designEffect(
      [
        { hits: 0, of: 10 },
        { hits: 0, of: 30 },
      ],
      none,
    ),
  ).toBe(1000 / 40);
});

test('one client that sends most of the requests counts for little more than itself', () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ hits: i % 2, of: 1 }));
  const n = 1050;
  expect(n / designEffect([...many, { hits: 1000, of: 1000 }], none)).toBeLessThan(10);
});

test('an interval that is widened by it misses a share no more often than it says, where clients differ', () => {
  const random = seededRandom(7);
  let missed = 0;
  const rounds = 400;
  for (let round = 0; round < rounds; round += 1) {
    const clusters = Array.from({ length: 30 }, () => {
      const own = random.next();
      const of = 1 + random.below(60);
      let hits = 0;
      for (let i = 0; i < of; i += 1) hits += random.next() < own ? 1 : 0;
      return { hits, of };
    });
    const n = clusters.reduce((all, { of }) => all + of, 0);
    const share = clusters.reduce((all, { hits }) => all + hits, 0) / n;
    const half = 1.96 * Math.sqrt((share * (1 - share) * designEffect(clusters, none)) / n);
    if (Math.abs(share - 0.5) > half) missed += 1;
  }
  expect(missed / rounds).toBeLessThan(0.1);
});
