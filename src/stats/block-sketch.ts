import { middle95 } from './bootstrap.ts';
import type { Interval } from './bootstrap.ts';
import { seededRandom } from './random.ts';

/** A bin is as wide as its value over this, or 1: no quantile of a sketch is off by more. */
export const binsPerOctave = 256;
const exactBits = 9;

/** The bin of a whole number below 2^53: each number below 512 has its own, then 256 an octave. */
export function binOf(value: number): number {
  if (value < 2 ** exactBits) return value;
  // Bits are counted in 32: larger numbers lose what their bin loses anyway.
  const wide = value >= 2 ** 31;
  const small = wide ? Math.floor(value / 2 ** 22) : value;
  const shift = 32 - exactBits - Math.clz32(small);
  return (shift + (wide ? 22 : 0)) * binsPerOctave + (small >>> shift);
}

/** The least number of a bin. */
export function edgeOf(bin: number): number {
  if (bin < 2 ** exactBits) return bin;
  const shift = Math.floor(bin / binsPerOctave) - 1;
  return (binsPerOctave + (bin % binsPerOctave)) * 2 ** shift;
}

/** So many bins hold every number below 2^44: half a year in µs. */
const bins = binOf(2 ** 44 - 1) + 1;

/** Whole numbers below 2^44 in time order, kept as one histogram for each block of neighbours: what a bootstrap of blocks wants. */
export class BlockSketch {
  readonly #counts: Uint32Array;
  readonly #sums: Float64Array;
  readonly #sizes: Float64Array;
  #first = 0;
  #end = bins;

  constructor(blocks: number) {
    this.#counts = new Uint32Array(blocks * bins);
    this.#sums = new Float64Array(blocks);
    this.#sizes = new Float64Array(blocks);
  }

  /** A block's histogram, by `binOf`, for whoever fills it; its sum and size are told with `close`. */
  open(block: number): Uint32Array {
    return this.#counts.subarray(block * bins, (block + 1) * bins);
  }

  close(block: number, told: { readonly sum: number; readonly size: number }): void {
    this.#sums[block] = told.sum;
    this.#sizes[block] = told.size;
  }

  /**
   * 95 % intervals of the mean and of quantiles (ascending), from resamples of whole blocks. That of the mean is exact;
   * the others reach to the edges of their bins, so that they hold what the values themselves would give.
   */
  intervals(options: { quantiles: readonly number[]; seed: number; resamples: number }): {
    mean: Interval;
    quantiles: Interval[];
  } {
    const random = seededRandom(options.seed, this.#sizes.length);
    const times = new Uint32Array(this.#sizes.length);
    const drawn = new Float64Array(bins);
    this.#narrow();
    const means: number[] = [];
    const quantiles: number[][] = options.quantiles.map(() => []);
    for (let i = 0; i < options.resamples; i += 1) {
      times.fill(0);
      for (let k = 0; k < times.length; k += 1) {
        const block = random.below(times.length);
        times[block] = (times[block] as number) + 1;
      }
      const { sum, size } = this.#draw(times, drawn);
      means.push(sum / size);
      this.#quantilesOf(drawn, size, options.quantiles).forEach((value, q) => quantiles[q]?.push(value));
    }
    return { mean: middle95(means), quantiles: quantiles.map((values) => toEdges(middle95(values))) };
  }

  /** Only what lies between the lowest and the highest value is gone through. */
  #narrow(): void {
    let [first, end] = [bins, 0];
    for (let from = 0; from < this.#counts.length; from += bins) {
      let bin = 0;
      while (bin < first && this.#counts[from + bin] === 0) bin += 1;
      first = Math.min(first, bin);
      bin = bins;
      while (bin > end && this.#counts[from + bin - 1] === 0) bin -= 1;
      end = Math.max(end, bin);
    }
    this.#first = first;
    this.#end = end;
  }

  #draw(times: Uint32Array, drawn: Float64Array): { sum: number; size: number } {
    const counts = this.#counts;
    const [first, end] = [this.#first, this.#end];
    let sum = 0;
    let size = 0;
    drawn.fill(0);
    for (let block = 0; block < times.length; block += 1) {
      const often = times[block] as number;
      if (often === 0) continue;
      sum += often * (this.#sums[block] as number);
      size += often * (this.#sizes[block] as number);
      const from = block * bins;
      for (let bin = first; bin < end; bin += 1)
        drawn[bin] = (drawn[bin] as number) + often * (counts[from + bin] as number);
    }
    return { sum, size };
  }

  /** Within a bin values are taken to be spread evenly. */
  #quantilesOf(drawn: Float64Array, size: number, wanted: readonly number[]): number[] {
    let bin = this.#first;
    let before = 0;
    return wanted.map((q) => {
      const rank = (size - 1) * q;
      while (bin < this.#end - 1 && before + (drawn[bin] as number) <= rank) {
        before += drawn[bin] as number;
        bin += 1;
      }
      const low = edgeOf(bin);
      const width = edgeOf(bin + 1) - low;
      // A bin of one number is that number.
      return width <= 1 ? low : low + (width * (rank - before)) / (drawn[bin] as number);
    });
  }
}

/** Where in its bin a quantile lies is not known. */
function toEdges([low, high]: Interval): Interval {
  const last = binOf(Math.floor(high));
  const end = edgeOf(last + 1);
  return [edgeOf(binOf(Math.floor(low))), end - edgeOf(last) <= 1 ? edgeOf(last) : end];
}
