import { logGamma } from './sequential.ts';

/** How many of how many. */
export interface Share {
  readonly hits: number;
  readonly of: number;
}

/**
 * Fisher's exact test, one-sided: how likely the first would have so many hits, or more, if both had the same chance of one and
 * their hits together were what they are. It holds for few as for many.
 */
export function fisherGreater(first: Share, second: Share): number {
  const hits = first.hits + second.hits;
  const most = Math.min(hits, first.of);
  let p = 0;
  for (let k = first.hits; k <= most; k += 1)
    p += Math.exp(
      logChoose(first.of, k) + logChoose(second.of, hits - k) - logChoose(first.of + second.of, hits),
    );
  return Math.min(1, p);
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** Chances of exactly 0, 1, … `n` hits in `n` independent trials; `chance` is neither 0 nor 1. */
export function binomialChances(n: number, chance: number): number[] {
  return Array.from({ length: n + 1 }, (_, k) =>
    Math.exp(logChoose(n, k) + k * Math.log(chance) + (n - k) * Math.log1p(-chance)),
  );
}
