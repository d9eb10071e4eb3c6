import { seededRandom } from './random.ts';
import type { Random } from './random.ts';

export type Interval = [number, number];

export interface BootstrapOptions {
  /** Neighbours in time that are drawn together, because they share queue and batch and are not independent. */
  readonly block: number;
  readonly quantiles: readonly number[];
  readonly seed: number;
  readonly resamples?: number;
}

/** How long a block must be for a closed loop: twice the requests in flight, and 50 where there are enough of them. */
export function blockLength(n: number, streams: number): number {
  const long = Math.max(50, 2 * streams);
  return n >= 8 * long ? long : 2 * streams;
}

/** Fewer than ten blocks say nothing about their own spread. */
export const fewestBlocks = 10;

export interface BootstrapSamples {
  readonly means: number[];
  /** For each wanted quantile, its value in every resample. */
  readonly quantiles: number[][];
}

/**
 * 95 % intervals of the mean and of quantiles by circular block bootstrap over values in time order.
 * Null when there are too few blocks for it.
 */
export function bootstrapIntervals(
  values: ArrayLike<number>,
  options: BootstrapOptions,
): { mean: Interval; quantiles: Interval[] } | null {
  const samples = bootstrapSamples(values, options);
  return samples && { mean: middle95(samples.means), quantiles: samples.quantiles.map(middle95) };
}

/** The mean and the quantiles (ascending) of every resample, in the order drawn; null when there are too few blocks. */
export function bootstrapSamples(
  values: ArrayLike<number>,
  options: BootstrapOptions,
): BootstrapSamples | null {
  const n = values.length;
  if (n < fewestBlocks * options.block) return null;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const sorted = Float64Array.from(order, (i) => values[i] as number);
  const rank = new Uint32Array(n);
  order.forEach((original, place) => (rank[original] = place));
  const random = seededRandom(options.seed, n);
  const resamples = options.resamples ?? (n > 50_000 ? 200 : 1000);
  const means: number[] = [];
  const quantiles: number[][] = options.quantiles.map(() => []);
  const times = new Uint32Array(n);
  for (let i = 0; i < resamples; i += 1) {
    draw(times, rank, options.block, random);
    means.push(meanOf(sorted, times));
    quantilesOf(sorted, times, options.quantiles).forEach((value, q) => quantiles[q]?.push(value));
  }
  return { means, quantiles };
}

/** Fills `times` with how often each rank was drawn. */
function draw(times: Uint32Array, rank: Uint32Array, block: number, random: Random): void {
  const n = rank.length;
  times.fill(0);
  let drawn = 0;
  while (drawn < n) {
    const start = random.below(n);
    for (let k = 0; k < block && drawn < n; k += 1, drawn += 1) {
      const place = rank[(start + k) % n] as number;
      times[place] = (times[place] as number) + 1;
    }
  }
}

function meanOf(sorted: Float64Array, times: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < sorted.length; i += 1) sum += (sorted[i] as number) * (times[i] as number);
  return sum / sorted.length;
}

/** Quantiles (ascending) of the drawn multiset, without building it. */
function quantilesOf(sorted: Float64Array, times: Uint32Array, wanted: readonly number[]): number[] {
  const n = sorted.length;
  let place = 0;
  let through = times[0] as number;
  function at(index: number): number {
    while (through <= index) {
      place += 1;
      through += times[place] as number;
    }
    return sorted[place] as number;
  }
  return wanted.map((q) => {
    const position = (n - 1) * q;
    const low = at(Math.floor(position));
    return low + (at(Math.ceil(position)) - low) * (position - Math.floor(position));
  });
}

/** The middle 95 % of resamples, which it sorts. */
export function middle95(values: number[]): Interval {
  values.sort((a, b) => a - b);
  const last = values.length - 1;
  return [values[Math.round(last * 0.025)] as number, values[Math.round(last * 0.975)] as number];
}
