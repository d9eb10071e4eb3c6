import { bootstrapIntervals, blockLength } from './bootstrap.ts';
import type { Interval } from './bootstrap.ts';
import { percentile, sortedCopy } from './percentile.ts';

export interface Summary {
  n: number;
  mean: number;
  stddev: number;
  min: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
  interval: { mean: Interval | null; p50: Interval | null; p95: Interval | null; p99: Interval | null };
  p99Reliable: boolean;
}

/** Summary of values in time order; null when there are none. `streams` sets the block of the intervals. */
export function summarize(
  values: readonly number[],
  options: { streams: number; seed: number },
): Summary | null {
  const n = values.length;
  if (n === 0) return null;
  const sorted = sortedCopy(values);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
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
