import type { ChangeLimit } from '../../domain/change-limit.ts';
import type { Comparison, Difference } from './compare-runs.ts';

export interface ChangeGate {
  readonly stage: string;
  readonly limit: string;
  /** As a factor; null: the runs do not both have the figure. */
  readonly change: number | null;
  /** unsure: the interval of the change reaches over the limit. */
  readonly verdict: 'kept' | 'missed' | 'unsure' | 'not measured';
}

/** Holds each stage of a comparison against each limit. A limit is missed only when the whole interval lies beyond it. */
export function changeGates(comparison: Comparison, limits: readonly ChangeLimit[]): ChangeGate[] {
  return comparison.stages.flatMap(({ label, differences }) =>
    limits.map((limit) => {
      const found = differences.find(({ metric }) => metric === limit.metric);
      return {
        stage: label,
        limit: limit.text,
        change: found ? changeOf(found) : null,
        verdict: found ? verdictOf(found, limit) : 'not measured',
      };
    }),
  );
}

function verdictOf(
  { base, other, estimate }: Difference,
  { most, factor }: ChangeLimit,
): ChangeGate['verdict'] {
  const change = changeOf({ base, other });
  const [low, high] = estimate?.interval ?? [change, change];
  const beyond = most ? low > factor : high < factor;
  const within = most ? high <= factor : low >= factor;
  return beyond ? 'missed' : within ? 'kept' : 'unsure';
}

/** As a factor: 1 where nothing stays nothing, Infinity where something comes of nothing. */
export function changeOf({ base, other }: Pick<Difference, 'base' | 'other'>): number {
  return base === 0 && other === 0 ? 1 : other / base;
}
