import { percentile, sortedCopy } from '../../src/stats/percentile.ts';
import type { TruthEntry } from '../bench/truth.ts';
import type { PlannedCase } from './cases.ts';
import type { ToldRequest } from './tools.ts';

/** What is compared, fixed before anything was measured. */
export const columns = [
  'TTFT p50',
  'TTFT p99',
  'TPOT p99',
  'longest gap p99',
  'E2E p99',
  'tokens wrong',
  'outcomes wrong',
] as const;
export type Errors = Readonly<Record<(typeof columns)[number], number | null>>;

/** How far a tool's figures are from the server's log, in ms without their sign; counts of what it told wrong. Null: it tells none. */
export function errorsOf(
  told: readonly ToldRequest[],
  log: readonly TruthEntry[],
  plans: ReadonlyMap<string, PlannedCase>,
): Errors {
  const byNumber = new Map(told.map((each) => [each.number, each]));
  const off = { ttft: [], tpot: [], gap: [], e2e: [] } as Record<string, number[]>;
  let tokensWrong = 0;
  let outcomesWrong = 0;
  for (const entry of log) {
    const said = byNumber.get(entry.number);
    const good = plans.get(entry.play)?.good ?? false;
    if ((said !== undefined) !== good) outcomesWrong += 1;
    if (!said || !good) continue;
    const truth = figuresOf(entry);
    if (said.tokens !== truth.tokens) tokensWrong += 1;
    note(off['ttft'], said.ttftMs, truth.ttftMs);
    note(off['tpot'], said.tpotMs, truth.tpotMs);
    note(off['gap'], said.longestGapMs, truth.longestGapMs);
    note(off['e2e'], said.e2eMs, truth.e2eMs);
  }
  return {
    'TTFT p50': quantile(off['ttft'], 0.5),
    'TTFT p99': quantile(off['ttft'], 0.99),
    'TPOT p99': quantile(off['tpot'], 0.99),
    'longest gap p99': quantile(off['gap'], 0.99),
    'E2E p99': quantile(off['e2e'], 0.99),
    'tokens wrong': tokensWrong,
    'outcomes wrong': outcomesWrong,
  };
}

function figuresOf({ received, writes }: TruthEntry) {
  const first = writes[0]?.at ?? Number.NaN;
  const last = writes.at(-1)?.at ?? Number.NaN;
  const tokens = writes.reduce((sum, write) => sum + write.tokens, 0);
  const gaps = writes.slice(1).map(({ at }, i) => at - (writes[i]?.at ?? at));
  return {
    tokens,
    ttftMs: (first - received) / 1000,
    tpotMs: (last - first) / (tokens - 1) / 1000,
    longestGapMs: Math.max(...gaps) / 1000,
    e2eMs: (last - received) / 1000,
  };
}

function note(list: number[] | undefined, said: number | null, truth: number): void {
  if (said !== null) list?.push(Math.abs(said - truth));
}

function quantile(values: readonly number[] | undefined, q: number): number | null {
  return !values || values.length === 0 ? null : percentile(sortedCopy(values), q);
}
