import { percentile, sortedCopy } from './percentile.ts';

/**
 * How many robust standard deviations above the middle of earlier values one lies: from their median and the median of
 * their distances to it, so that a single odd one does not hide the next. `least` is the smallest deviation believed.
 */
export function robustScore(value: number, earlier: readonly number[], least: number): number {
  const middle = percentile(sortedCopy(earlier), 0.5);
  const distances = sortedCopy(earlier.map((each) => Math.abs(each - middle)));
  // 1.4826: makes it the standard deviation where values are normal.
  const deviation = Math.max(least, 1.4826 * percentile(distances, 0.5));
  return (value - middle) / deviation;
}
