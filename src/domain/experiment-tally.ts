/**
 * Buckets of berth's own, in seconds: `long` for times to a token or to the end, `short` for times between tokens. Each bound is at
 * most twice the one before it, so that a quantile read from them is off by less than that.
 */
export const secondBounds = {
  long: [
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4,
    0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800,
  ],
  short: [
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06,
    0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10,
  ],
} as const;

/** Requests of one client at one arm of an experiment, by what was measured of them. */
export interface TallyRow {
  readonly experiment: string;
  /** Without the percentile: "ttft", "e2e", "tpot", "error_rate". */
  readonly measure: string;
  readonly deployment: string;
  /** A hash of who it is; empty for those that do not say: each of their requests is dealt out by itself. */
  readonly client: string;
  /** `dealt`: requests that were sent there; else the upper bound of a bucket, or `good` and `failed`. */
  readonly point: string;
  readonly count: number;
}

/** Every request that was dealt out, measured or not. */
export const dealtPoint = 'dealt';
export const errorPoints = ['good', 'failed'] as const;

/** What is measured of each request for a metric such as "ttft_p95". */
export function measureOf(metric: string): string {
  return metric.replace(/_p\d+$/, '');
}

/** Bounds that a measure is kept by; null for shares of requests. */
export function boundsOf(measure: string): readonly number[] | null {
  if (measure === 'error_rate') return null;
  return measure === 'tpot' ? secondBounds.short : secondBounds.long;
}

/** The bucket of a time: the name of its upper bound. */
export function bucketOf(seconds: number, bounds: readonly number[]): string {
  return String(bounds.find((bound) => seconds <= bound) ?? Infinity);
}
