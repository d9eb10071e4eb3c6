import { weightedSummary } from '../../stats/weighted-summary.ts';
import type { Weighted } from '../../stats/weighted-summary.ts';

/** The ends that GuideLLM tells apart, and all of them together. */
export const statuses = ['successful', 'errored', 'incomplete', 'total'] as const;
export type Status = (typeof statuses)[number];

type Numbers = Readonly<Record<string, unknown>>;

/**
 * One of GuideLLM's distributions. Without values it is all zeros with a count of 0: the format has no other way to say
 * that there is nothing.
 */
export function distribution(
  values: readonly Weighted[],
  options: { layout: '2' | '0.3'; count?: number },
): Numbers {
  const found = weightedSummary(values);
  const count = found === null ? 0 : (options.count ?? Math.round(found.weight));
  return {
    mean: found?.mean ?? 0,
    median: found?.median ?? 0,
    mode: found?.mode ?? 0,
    variance: found?.variance ?? 0,
    std_dev: found?.stddev ?? 0,
    min: found?.min ?? 0,
    max: found?.max ?? 0,
    count,
    total_sum: (found?.mean ?? 0) * count,
    percentiles: found?.percentiles ?? zeros,
    ...(options.layout === '2' ? { pdf: null } : { cumulative_distribution_function: null }),
  };
}

const zeros = Object.fromEntries(
  ['p001', 'p01', 'p05', 'p10', 'p25', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999'].map((name) => [name, 0]),
);
