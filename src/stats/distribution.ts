import type { Interval } from './bootstrap.ts';

/** What is told of many values. */
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
