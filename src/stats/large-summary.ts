import { binOf, BlockSketch } from './block-sketch.ts';
import { blockLength, fewestBlocks } from './bootstrap.ts';
import type { Summary } from './distribution.ts';

/** More blocks tell no more of their own spread, and cost. */
const mostBlocks = 128;
const resamples = 200;
/** Numbers below this are counted one by one. */
const counted = 2 ** 20;
const longest = 2 ** 44 - 1;
const wanted = [0.5, 0.95, 0.99] as const;

/**
 * A summary of very many values in ms, whose grain is the µs: quantiles by counting, exact to the µs, and intervals from
 * sketches of blocks. Its work grows with the number of values alone, and it sorts none but those above a second.
 */
export function summarizeLarge(
  values: ArrayLike<number>,
  options: { readonly streams: number; readonly seed: number },
): Summary {
  const n = values.length;
  const counts = new Uint32Array(counted);
  const above: number[] = [];
  const length = blockLength(n, options.streams);
  const size = Math.ceil(n / Math.min(mostBlocks, Math.max(1, Math.floor(n / length))));
  const blocks = Math.ceil(n / size);
  const sketch = new BlockSketch(blocks);
  const told = { sum: 0, squares: 0, min: Number.POSITIVE_INFINITY, max: 0 };
  for (let block = 0; block < blocks; block += 1) {
    const bins = sketch.open(block);
    const from = block * size;
    const end = Math.min(n, from + size);
    let sum = 0;
    let squares = 0;
    for (let i = from; i < end; i += 1) {
      const whole = micros(values[i] as number);
      const bin = binOf(whole);
      bins[bin] = (bins[bin] as number) + 1;
      if (whole < counted) counts[whole] = (counts[whole] as number) + 1;
      else above.push(whole);
      sum += whole;
      squares += whole * whole;
      if (whole < told.min) told.min = whole;
      if (whole > told.max) told.max = whole;
    }
    sketch.close(block, { sum, size: end - from });
    told.sum += sum;
    told.squares += squares;
  }
  const mean = told.sum / n;
  const high = Float64Array.from(above).sort();
  const { seed } = options;
  const found = blocks < fewestBlocks ? null : sketch.intervals({ quantiles: wanted, seed, resamples });
  const [p50, p90, p95, p99] = quantilesOf(counts, high, [0.5, 0.9, 0.95, 0.99]);
  const [low50, low95, low99] = (found?.quantiles ?? []).map(inMs);
  return {
    n,
    mean: mean / 1000,
    stddev: Math.sqrt(Math.max(0, told.squares - told.sum * mean) / (n - 1)) / 1000,
    min: told.min / 1000,
    p50: p50 as number,
    p90: p90 as number,
    p95: p95 as number,
    p99: p99 as number,
    max: told.max / 1000,
    interval: {
      mean: found && inMs(found.mean),
      p50: low50 ?? null,
      p95: low95 ?? null,
      p99: low99 ?? null,
    },
    p99Reliable: true,
  };
}

/** No time is negative, and none is longer than a sketch can tell. */
function micros(ms: number): number {
  return Math.min(longest, Math.max(0, Math.floor(ms * 1000 + 0.5)));
}

function inMs([low, high]: readonly [number, number]): [number, number] {
  return [low / 1000, high / 1000];
}

/** In ms, by the ranks of `percentile`: what was counted, then what lies above, sorted. */
function quantilesOf(counts: Uint32Array, above: Float64Array, quantiles: readonly number[]): number[] {
  const below = counts.reduce((sum, count) => sum + count, 0);
  let place = 0;
  let through = counts[0] as number;
  function at(rank: number): number {
    if (rank >= below) return above[rank - below] as number;
    while (through <= rank) {
      place += 1;
      through += counts[place] as number;
    }
    return place;
  }
  return quantiles.map((q) => {
    const position = (below + above.length - 1) * q;
    const low = at(Math.floor(position));
    return (low + (at(Math.ceil(position)) - low) * (position - Math.floor(position))) / 1000;
  });
}
