import { expect, test } from 'vitest';
import { startUpLength } from './mser.ts';
import { seededRandom } from './random.ts';

function series(length: number, mean: (i: number) => number, seed: number): number[] {
  const random = seededRandom(seed, 0);
  return Array.from({ length }, (_, i) => mean(i) + 4 * (random.next() - 0.5));
}

test('a ramp at the beginning is cut, and in most cases little of what comes after it', () => {
  const cuts = Array.from(
    { length: 50 },
    (_, seed) => startUpLength(series(250, (i) => (i < 50 ? i / 2 : 25), seed)) ?? -1,
  );
  for (const cut of cuts) expect(cut).toBeGreaterThanOrEqual(40);
  expect(cuts.filter((cut) => cut <= 90).length).toBeGreaterThan(44);
});

test('of what is steady from the beginning most is kept, in most cases', () => {
  const cuts = Array.from({ length: 100 }, (_, seed) => startUpLength(series(250, () => 25, seed)));
  const kept = cuts.filter((cut) => cut !== null && cut <= 75).length;
  expect(kept).toBeGreaterThan(80);
});

test('what rises to its end has no steady part, and too few values say nothing', () => {
  expect(startUpLength(series(250, (i) => i, 1))).toBeNull();
  expect(startUpLength([1, 2, 3, 4])).toBeNull();
});
