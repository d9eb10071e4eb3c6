/*
 * Tests that hold however often one looks at them, so that an experiment may be watched while it runs.
 */

/**
 * Half width of a band around an empirical distribution of `n` independent values that holds for all n at once with
 * probability 1 − alpha (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
 * best-arm identification", 2022: 0.85 √((log log(e·n) + 0.8 log(1612/alpha)) / n)).
 */
export function bandOf(n: number, alpha: number): number {
  if (n < 1) return Infinity;
  return 0.85 * Math.sqrt((Math.log(1 + Math.log(n)) + 0.8 * Math.log(1612 / alpha)) / n);
}

/** Values from which on a quantile is bounded from above by the band. */
export function leastFor(quantile: number, alpha: number): number {
  let n = 1;
  while (bandOf(n, alpha) >= 1 - quantile) n = Math.ceil(n * 1.05);
  return n;
}

export interface Bounded {
  readonly value: number;
  readonly low: number;
  /** Null: not bounded. */
  readonly high: number | null;
}

/**
 * A quantile of a histogram, with its band; null without values. `counts[i]` is what lies above `bounds[i − 1]` and not
 * above `bounds[i]`, the last what is above all. Where in a bucket values lie is not known: the band takes whole buckets.
 * `worth`: as how many independent values all of them count; absent: as all.
 */
export function quantileIn(
  counts: readonly number[],
  bounds: readonly number[],
  { quantile, alpha, worth }: { quantile: number; alpha: number; worth?: number },
): Bounded | null {
  const n = counts.reduce((sum, count) => sum + count, 0);
  if (n === 0) return null;
  const band = bandOf(worth ?? n, alpha);
  const at = bucketAt(counts, quantile * n);
  const [from, to] = edgesOf(bounds, at);
  const before = counts.slice(0, at).reduce((sum, count) => sum + count, 0);
  const part = Math.min(1, Math.max(0, (quantile * n - before) / (counts[at] ?? 1)));
  return {
    value: to === null ? from : from + part * (to - from),
    low: quantile - band <= 0 ? 0 : edgesOf(bounds, bucketAt(counts, (quantile - band) * n))[0],
    high: quantile + band >= 1 ? null : edgesOf(bounds, bucketAt(counts, (quantile + band) * n))[1],
  };
}

function bucketAt(counts: readonly number[], rank: number): number {
  let sum = 0;
  const found = counts.findIndex((count) => (sum += count) >= rank);
  return found < 0 ? counts.length - 1 : found;
}

function edgesOf(bounds: readonly number[], bucket: number): [from: number, to: number | null] {
  return [bounds[bucket - 1] ?? 0, bounds[bucket] ?? null];
}

/** A share of `hits` in `n`, with its band; `worth` as above. */
export function shareIn(
  hits: number,
  n: number,
  { alpha, worth }: { alpha: number; worth?: number },
): Bounded | null {
  if (n === 0) return null;
  const band = bandOf(worth ?? n, alpha);
  return { value: hits / n, low: Math.max(0, hits / n - band), high: Math.min(1, hits / n + band) };
}

/** How strongly the prior of `ratioEvidence` holds to the weights: small mismatches are what is looked for. */
const concentration = 100;

/**
 * Evidence that counts were not dealt out by these weights: how much likelier a Dirichlet mixture around them makes the
 * counts than the weights do. A martingale where they hold, so that it passes 1/p at any time at all with probability p
 * at most (Ville).
 */
export function ratioEvidence(counts: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const n = counts.reduce((sum, count) => sum + count, 0);
  let log = logGamma(concentration) - logGamma(concentration + n);
  shares.forEach((share, i) => {
    const prior = concentration * share;
    const count = counts[i] ?? 0;
    log += logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  });
  return Math.exp(Math.min(log, 700));
}

/** Logarithm of the gamma function for x > 0: Stirling's series, after x was raised to where that is exact. */
export function logGamma(x: number): number {
  let raised = 0;
  let at = x;
  for (; at < 10; at += 1) raised += Math.log(at);
  const square = 1 / (at * at);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - raised;
}
