import { expect, test } from 'vitest';
import { goalLine, verdictOf } from './goals.ts';
import { interleavedPairs, median } from './pairs.ts';

test('a goal line names the value, the bound and the verdict', () => {
  expect(goalLine({ name: 'startup.help', value: 1.6249, bound: { atMost: 1.8 } })).toBe(
    'goal startup.help 1.62 <=1.8 met',
  );
  expect(goalLine({ name: 'gateway.cpu', value: 0.5, bound: { atLeast: 0.65 } })).toBe(
    'goal gateway.cpu 0.5 >=0.65 short',
  );
});

test('a figure that could not be measured is absent and says why', () => {
  const goal = { name: 'x', value: null, bound: { atMost: 1 }, note: 'nginx is not installed' } as const;
  expect(goalLine(goal)).toBe('goal x - <=1 absent (nginx is not installed)');
  expect(verdictOf({ ...goal, value: Number.NaN })).toBe('absent');
});

test('pairs are interleaved, in alternating order, after one uncounted warm-up of each side', async () => {
  const order: string[] = [];
  let at = 0;
  function measure(side: string): number {
    order.push(side);
    return (at += 1);
  }
  const pairs = await interleavedPairs(2, { first: () => measure('a'), second: () => measure('b') });
  expect(order).toEqual(['a', 'b', 'a', 'b', 'b', 'a']);
  expect(pairs).toEqual({ first: [3, 6], second: [4, 5], ratios: [3 / 4, 6 / 5] });
});

test('the median of an even number of values is the mean of the middle two', () => {
  expect(median([4, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});
