import { expect, test } from 'vitest';
import { binOf, binsPerOctave, BlockSketch, edgeOf } from './block-sketch.ts';
import { middle95 } from './bootstrap.ts';
import { summarizeLarge } from './large-summary.ts';
import { percentile, sortedCopy } from './percentile.ts';
import { seededRandom } from './random.ts';
import { largeFrom, summarize } from './summary.ts';

/** Gaps of a busy server, in µs: most about 20 ms, some of a pause, a few of seconds. */
function gaps(n: number): Float64Array {
  const random = seededRandom(5);
  return Float64Array.from({ length: n }, () => {
    const kind = random.next();
    if (kind < 0.01) return 1_000_000 + random.below(4_000_000);
    return kind < 0.1 ? 30_000 + random.below(100_000) : 19_000 + random.below(2000);
  });
}

test('every whole number lies in a bin that is no wider than a 256th of it', () => {
  const random = seededRandom(1);
  const drawn = Array.from({ length: 5000 }, () => Math.floor(2 ** (random.next() * 44)));
  for (const value of [0, 1, 511, 512, 513, 2 ** 31 - 1, 2 ** 31, 2 ** 40, ...drawn]) {
    const bin = binOf(value);
    const [low, high] = [edgeOf(bin), edgeOf(bin + 1)];
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThan(value);
    expect(high - low).toBeLessThanOrEqual(Math.max(1, value / binsPerOctave));
  }
});

test('a summary of very many values has the quantiles that sorting them gives', () => {
  const values = gaps(3 * largeFrom).map((each) => each / 1000);
  const summary = summarize(values, { streams: 4, seed: 1 });
  const sorted = sortedCopy(values);
  for (const [name, q] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const)
    expect(summary?.[name]).toBeCloseTo(percentile(sorted, q), 6);
  expect(summary).toMatchObject({ n: values.length, min: sorted[0], max: sorted.at(-1) });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(summary?.mean).toBeCloseTo(mean, 9);
  const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  expect(summary?.stddev).toBeCloseTo(Math.sqrt(spread / (values.length - 1)), 6);
});

test('intervals from sketches hold those that the values themselves give, and end within one bin of them', () => {
  const values = gaps(20_000);
  const blocks = 40;
  const size = values.length / blocks;
  const sketch = new BlockSketch(blocks);
  for (let block = 0; block < blocks; block += 1) {
    const own = values.subarray(block * size, (block + 1) * size);
    const bins = sketch.open(block);
    for (const value of own) bins[binOf(value)] = (bins[binOf(value)] as number) + 1;
    sketch.close(block, { sum: own.reduce((sum, value) => sum + value, 0), size });
  }
  const quantiles = [0.5, 0.95, 0.99];
  const found = sketch.intervals({ quantiles, seed: 7, resamples: 100 });
  const exact = resampled(values, { blocks, quantiles, seed: 7, resamples: 100 });
  found.mean.forEach((end, i) => expect(end).toBeCloseTo(exact.mean[i] as number, 6));
  found.quantiles.forEach((interval, q) =>
    interval.forEach((end, i) => {
      const wanted = exact.quantiles[q]?.[i] as number;
      // Never within what the values give.
      expect(i === 0 ? wanted - end : end - wanted).toBeGreaterThanOrEqual(0);
      expect(Math.abs(end - wanted)).toBeLessThanOrEqual(wanted / binsPerOctave + 1);
    }),
  );
});

/** The same blocks drawn, and their values sorted. */
function resampled(
  values: Float64Array,
  options: { blocks: number; quantiles: readonly number[]; seed: number; resamples: number },
) {
  const { blocks, quantiles } = options;
  const size = values.length / blocks;
  const random = seededRandom(options.seed, blocks);
  const means: number[] = [];
  const found: number[][] = quantiles.map(() => []);
  for (let i = 0; i < options.resamples; i += 1) {
    const drawn = Array.from({ length: blocks }, () => random.below(blocks));
    const sorted = sortedCopy(
      drawn.flatMap((block) => [...values.subarray(block * size, (block + 1) * size)]),
    );
    means.push(sorted.reduce((sum, value) => sum + value, 0) / sorted.length);
    quantiles.forEach((q, k) => found[k]?.push(percentile(sorted, q)));
  }
  return { mean: middle95(means), quantiles: found.map(middle95) };
}

test('intervals of very many values hold the figure and grow narrower with their number', () => {
  function width(n: number): number {
    const { interval, p95, mean } = summarizeLarge(
      gaps(n).map((each) => each / 1000),
      { streams: 4, seed: 3 },
    );
    const [low95, high95] = interval.p95 as [number, number];
    expect(low95).toBeLessThan(p95);
    expect(high95).toBeGreaterThan(p95);
    const [low, high] = interval.mean as [number, number];
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
    return high - low;
  }
  expect(width(1_600_000)).toBeLessThan(width(100_000));
});
