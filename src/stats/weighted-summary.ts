/** A value with the weight that it has in a distribution. */
export type Weighted = readonly [value: number, weight: number];

const quantiles = {
  p001: 0.001,
  p01: 0.01,
  p05: 0.05,
  p10: 0.1,
  p25: 0.25,
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
} as const;

export interface WeightedSummary {
  readonly mean: number;
  readonly median: number;
  /** The value with the most weight; of several the least. */
  readonly mode: number;
  readonly variance: number;
  readonly stddev: number;
  readonly min: number;
  readonly max: number;
  /** Sum of all weights. */
  readonly weight: number;
  /** The least value at which the cumulative weight reaches the quantile; nothing is interpolated. */
  readonly percentiles: Readonly<Record<keyof typeof quantiles, number>>;
}

/** Null when there is no value with a weight. */
export function weightedSummary(values: readonly Weighted[]): WeightedSummary | null {
  const sums = new Map<number, number>();
  for (const [value, weight] of values) if (weight > 0) sums.set(value, (sums.get(value) ?? 0) + weight);
  const steps = [...sums].sort(([a], [b]) => a - b);
  const weight = steps.reduce((sum, [, each]) => sum + each, 0);
  const first = steps[0];
  const last = steps.at(-1);
  if (!first || !last) return null;
  const mean = steps.reduce((sum, [value, each]) => sum + value * each, 0) / weight;
  const variance = steps.reduce((sum, [value, each]) => sum + (value - mean) ** 2 * each, 0) / weight;
  const percentiles = percentilesOf(steps, weight);
  return {
    mean,
    median: percentiles.p50,
    mode: steps.reduce((best, step) => (step[1] > best[1] ? step : best), first)[0],
    variance,
    stddev: Math.sqrt(variance),
    min: first[0],
    max: last[0],
    weight,
    percentiles,
  };
}

function percentilesOf(steps: readonly Weighted[], weight: number): WeightedSummary['percentiles'] {
  let place = 0;
  let through = (steps[0]?.[1] ?? 0) / weight;
  const found = Object.entries(quantiles).map(([name, q]) => {
    // A sum of shares may end a rounding error below 1.
    while (through < q - 1e-12 && place < steps.length - 1) {
      place += 1;
      through += (steps[place]?.[1] ?? 0) / weight;
    }
    return [name, steps[place]?.[0] ?? Number.NaN] as const;
  });
  return Object.fromEntries(found) as WeightedSummary['percentiles'];
}
