import type { Against } from '../../domain/against.ts';
import { parseChangeLimit } from '../../domain/change-limit.ts';
import { changeGates } from './change-limit.ts';
import type { ChangeGate } from './change-limit.ts';
import { compareRuns } from './compare-runs.ts';
import type { Comparison } from './compare-runs.ts';
import type { Side } from './side.ts';

/** How a run stands to the one that it is held against. */
export interface Judgement {
  readonly comparison: Comparison;
  readonly limits: readonly ChangeGate[];
  /** What became worse, or missed its limit: stage and figure, or stage and limit. */
  readonly worse: readonly string[];
  readonly verdict: 'kept' | 'worse' | 'client-limited' | 'unequal' | 'nothing in common';
}

/** Holds a run against its baseline. Where limits are named, they alone decide. Pure. */
export function judgeRun(baseline: Side, run: Side, against: Against): Judgement {
  const comparison = compareRuns(baseline, run, { tolerance: against.tolerance / 100 });
  const limits = changeGates(
    comparison,
    against.changes.flatMap((text) => parseChangeLimit(text) ?? []),
  );
  const worse = worseOf(comparison, limits);
  return { comparison, limits, worse, verdict: verdictOf(comparison, worse) };
}

/** What is worse in a run and in the one that repeated it: only that is no accident. */
export function confirmed(first: Judgement, second: Judgement): string[] {
  return first.worse.filter((each) => second.worse.includes(each));
}

export function worseOf({ stages }: Comparison, limits: readonly ChangeGate[]): string[] {
  if (limits.length > 0)
    return limits
      .filter(({ verdict }) => verdict === 'missed' || verdict === 'not measured')
      .map(({ stage, limit }) => `${stage}: ${limit}`);
  return stages.flatMap(({ label, differences }) =>
    differences.filter(({ verdict }) => verdict === 'worse').map(({ metric }) => `${label}: ${metric}`),
  );
}

function verdictOf(comparison: Comparison, worse: readonly string[]): Judgement['verdict'] {
  if (comparison.clientLimited) return 'client-limited';
  if (comparison.unequal.length > 0) return 'unequal';
  if (comparison.stages.every(({ differences }) => differences.length === 0)) return 'nothing in common';
  return worse.length > 0 ? 'worse' : 'kept';
}
