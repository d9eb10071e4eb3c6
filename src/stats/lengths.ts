import { normalVariate } from './gamma.ts';
import type { Random } from './random.ts';

/** A distribution of whole numbers from 1 up unless `min` is lower, or one number. `mean` and `stdev` are those of the numbers themselves. */
export type Lengths =
  | number
  | {
      readonly mean?: number | undefined;
      readonly stdev?: number | undefined;
      readonly min?: number | undefined;
      readonly max?: number | undefined;
      readonly distribution?: 'normal' | 'uniform' | 'lognormal' | 'exponential' | undefined;
    };

/** Draws outside the bounds are drawn again, so that none pile up at a bound; after so many the bound is taken. */
const mostDraws = 100;

/** One number of the distribution. Without a name it is uniform when only bounds are given, else normal. */
export function drawLength(lengths: Lengths, random: Random): number {
  if (typeof lengths === 'number') return lengths;
  const { min = 1, max = Number.POSITIVE_INFINITY } = lengths;
  for (let draw = 0; draw < mostDraws; draw += 1) {
    const value = Math.round(oneDraw(lengths, random));
    if (value >= min && value <= max) return value;
  }
  return Math.round(Math.min(max, Math.max(min, meanOf(lengths))));
}

/** The number that draws lie around, before bounds cut them. */
export function meanOf(lengths: Lengths): number {
  if (typeof lengths === 'number') return lengths;
  const { mean, min = 1, max } = lengths;
  return mean ?? (max === undefined ? min : (min + max) / 2);
}

function oneDraw(lengths: Exclude<Lengths, number>, random: Random): number {
  const { stdev, min, max } = lengths;
  const mean = meanOf(lengths);
  const bounded = min !== undefined && max !== undefined;
  switch (lengths.distribution ?? (stdev === undefined && bounded ? 'uniform' : 'normal')) {
    case 'normal':
      return mean + (stdev ?? 0) * normalVariate(random);
    case 'lognormal': {
      const variance = Math.log(1 + ((stdev ?? 0) / mean) ** 2);
      return Math.exp(Math.log(mean) - variance / 2 + Math.sqrt(variance) * normalVariate(random));
    }
    case 'exponential':
      return -mean * Math.log(1 - random.next());
    case 'uniform': {
      // Whole numbers with the same chance each: half a number is added at both ends.
      const half = stdev === undefined ? 0 : Math.sqrt(3) * stdev;
      const from = (stdev === undefined ? min : undefined) ?? mean - half;
      const to = (stdev === undefined ? max : undefined) ?? mean + half;
      return from - 0.5 + (to - from + 1) * random.next();
    }
  }
}
