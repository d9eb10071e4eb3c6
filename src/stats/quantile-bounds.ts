import { binomialChances } from './fisher.ts';
import { percentile, sortedCopy } from './percentile.ts';

/** A quantile and what bounds it; null: too few values to bound it on that side. */
export interface QuantileBounds {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * A quantile of independent values with bounds that it is beyond with a chance of `alpha` at most on each side, whatever their
 * distribution: the order statistics that a binomial count allows. Null without values.
 */
export function quantileBounds(
  values: readonly number[],
  { quantile, alpha }: { quantile: number; alpha: number },
): QuantileBounds | null {
  const n = values.length;
  if (n === 0) return null;
  const sorted = sortedCopy(values);
  // How many lie below the quantile is binomial: the k-th smallest is above it when fewer than k do.
  const chances = binomialChances(n, quantile);
  let low = 0;
  for (let below = chances[0] ?? 1; low < n && below <= alpha; below += chances[low] ?? 1) low += 1;
  let high = n;
  for (let above = chances[n] ?? 1; high > 0 && above <= alpha; above += chances[high] ?? 1) high -= 1;
  return {
    value: percentile(sorted, quantile),
    low: sorted[low - 1] ?? null,
    high: sorted[high] ?? null,
  };
}
