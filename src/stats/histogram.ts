import type { HistogramSample, Labels } from './prometheus.ts';

/** Counts observations into fixed buckets; no allocation per observation. Bounds ascend; the last bucket is over all. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.bounds;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i += 1;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
  }

  sample(labels: Labels): HistogramSample {
    return { labels, counts: this.counts, sum: this.sum };
  }
}
