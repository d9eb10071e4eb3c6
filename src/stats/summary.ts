import { bootstrapIntervals, blockLength } from './bootstrap.ts';
import type { Summary } from './distribution.ts';
import { summarizeLarge } from './large-summary.ts';
import { percentile, sortedCopy } from './percentile.ts';

/** More values than this are counted, not sorted, and their intervals come from sketches of blocks. */
export const largeFrom = 100_000;

/**
 * Summary of values in ms in time order; null when there are none. `streams` sets the block of the intervals.
 */
export function summarize(
  values: ArrayLike<number>,
  options: { streams: number; seed: number },
): Summary | null {
  const n = values.length;
  if (n === 0) return null;
  if (n > largeFrom) return summarizeLarge(values, options);
  const sorted = sortedCopy(values);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const spread = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const intervals = bootstrapIntervals(values, {
    block: blockLength(n, options.streams),
    quantiles: [0.5, 0.95, 0.99],
    seed: options.seed,
  });
  const [p50, p95, p99] = intervals?.quantiles ?? [];
  return {
    n,
    mean,
    stddev: n > 1 ? Math.sqrt(spread / (n - 1)) : 0,
    min: sorted[0] as number,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    max: sorted[n - 1] as number,
    interval: { mean: intervals?.mean ?? null, p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null },
    p99Reliable: n >= 100,
  };
}
