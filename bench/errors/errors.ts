import { exponentialDistance, fano } from '../../src/stats/arrivals.ts';
import { percentile, sortedCopy } from '../../src/stats/percentile.ts';
import type { TruthEntry } from '../bench/truth.ts';
import type { ToldRequest } from '../lib/tools/contract.ts';
import type { PlannedCase } from './cases.ts';

/** What a load generator told, and the log of the server that it measured. */
export interface Measured {
  readonly told: readonly ToldRequest[];
  readonly log: readonly TruthEntry[];
  readonly plans: ReadonlyMap<string, PlannedCase>;
}

type Figure = 'ttftMs' | 'tpotMs' | 'longestGapMs' | 'e2eMs' | 'fromScheduleMs';
type Truth = Readonly<Record<Figure, number>> & { readonly tokens: number };

interface Pair {
  readonly said: ToldRequest;
  readonly truth: Truth;
}

/** Good requests that the tool took for good, with what they were by the log. */
export function pairsOf({ told, log, plans }: Measured, rate?: number): Pair[] {
  const byNumber = new Map(told.map((each) => [each.number, each]));
  const due = rate === undefined ? null : dueOf(log, rate);
  return log.flatMap((entry) => {
    const said = byNumber.get(entry.number);
    if (!said || !plans.get(entry.play)?.good) return [];
    return [{ said, truth: truthOf(entry, due?.get(entry.number) ?? entry.received) }];
  });
}

/** How far a figure is from the log, without its sign; null: the tool tells none. */
export function errorOf(pairs: readonly Pair[], figure: Figure, q: number): number | null {
  const errors = pairs.flatMap(({ said, truth }) => {
    const value = said[figure];
    return value === null ? [] : [Math.abs(value - truth[figure])];
  });
  return errors.length === 0 ? null : percentile(sortedCopy(errors), q);
}

/** Requests whose count of tokens is another than the server's events had, or is not told. */
export function tokensWrong(pairs: readonly Pair[]): number {
  return pairs.filter(({ said, truth }) => said.tokens !== truth.tokens).length;
}

/** Failures that were taken for good, and good answers that were not. */
export function outcomesWrong({ told, log, plans }: Measured): number {
  const numbers = new Set(told.map(({ number }) => number));
  return log.filter(({ number, play }) => numbers.has(number) !== (plans.get(play)?.good ?? false)).length;
}

/** Answers in one piece to which the tool gives a time to the first token, which they do not have. */
export function firstTokensOfNone(pairs: readonly Pair[]): number {
  return pairs.filter(({ said }) => said.ttftMs !== null).length;
}

/** When each request came, in s from the first one on. */
export function arrivalsOf(log: readonly TruthEntry[]): number[] {
  const sorted = sortedCopy(log.map(({ received }) => received));
  return [...sorted].map((at) => (at - (sorted[0] ?? 0)) / 1e6);
}

/** Of starts by Poisson: √n times the distance of their gaps from exponential ones; 95 of 100 true ones are below 1.36. */
export function poissonDistance(arrivals: readonly number[], rate: number): number {
  const gaps = arrivals.slice(1).map((at, i) => (at - (arrivals[i] ?? 0)) * rate);
  return exponentialDistance(gaps) * Math.sqrt(gaps.length);
}

/** How much counts in parts of 100 ms vary: 1 by Poisson. */
export function burstiness(arrivals: readonly number[]): number {
  return fano(arrivals, 0.1);
}

/** When each request of a steady rate was due, by the schedule that fits best to when they came: none is early. */
function dueOf(log: readonly TruthEntry[], rate: number): Map<number, number> {
  const inOrder = log.toSorted((a, b) => a.received - b.received);
  const step = 1e6 / rate;
  const begin = inOrder.reduce(
    (least, { received }, i) => Math.min(least, received - i * step),
    Number.POSITIVE_INFINITY,
  );
  return new Map(inOrder.map(({ number }, i) => [number, begin + i * step]));
}

function truthOf({ received, writes }: TruthEntry, due: number): Truth {
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
    fromScheduleMs: (last - due) / 1000,
  };
}
