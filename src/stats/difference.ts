import { middle95 } from './bootstrap.ts';
import type { Interval } from './bootstrap.ts';

/** How one figure stands to another, as a factor: 1 is no difference. */
export interface RatioEstimate {
  readonly ratio: number;
  readonly interval: Interval;
  /** Two-sided, of no difference, by the normal approximation of the log ratio. */
  readonly p: number;
  /** Smallest change, as a share, that would be found in 80 of 100 such comparisons at 95 % confidence. */
  readonly detectable: number;
}

/**
 * Compares two figures by their bootstrap resamples, on the log scale, on which latencies and rates are nearly normal.
 * Both lists have the same length and are independent; values are above 0. Null when a resample is 0.
 */
export function ratioEstimate(
  figures: readonly [base: number, other: number],
  samples: readonly [base: readonly number[], other: readonly number[]],
): RatioEstimate | null {
  const [base, other] = samples;
  const logs = base.map((value, i) => Math.log((other[i] as number) / value));
  if (!logs.every(Number.isFinite)) return null;
  const point = Math.log(figures[1] / figures[0]);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const error = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
  const [low, high] = middle95([...logs]);
  return {
    ratio: Math.exp(point),
    interval: [Math.exp(low), Math.exp(high)],
    p: error === 0 ? Number(point === 0) : twoSided(point / error),
    detectable: Math.exp((1.96 + 0.84) * error) - 1,
  };
}

/** Holm's step-down correction: the chance of any false alarm among all comparisons stays below that of one. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const adjusted = ps.map(() => 1);
  let most = 0;
  order.forEach((index, rank) => {
    most = Math.max(most, Math.min(1, (ps[index] as number) * (ps.length - rank)));
    adjusted[index] = most;
  });
  return adjusted;
}

/** P(|Z| > |z|) of a standard normal Z; by Abramowitz and Stegun 26.2.17, off by less than 1e-7. */
function twoSided(z: number): number {
  const x = Math.abs(z);
  const t = 1 / (1 + 0.231_641_9 * x);
  const tail =
    t *
    (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return Math.min(1, (2 * tail * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI));
}
