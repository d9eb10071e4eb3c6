import type { TakeoverSide } from '../../domain/takeover.ts';
import { fisherGreater } from '../../stats/fisher.ts';
import { quantileBounds } from '../../stats/quantile-bounds.ts';

/*
 * The rule by which a newer engine is given more of the requests, or none any longer. It is written down for people in
 * docs/usage/moving.md.
 */

/** Shares of the requests that the newer one gets, one step after the other. */
export const shares = [0.05, 0.25, 0.5, 1] as const;
/** Requests at the newer one that a step needs; fewer when its time is over. */
export const enough = 30;
/** Below that nothing is looked at. */
const firstLook = 8;
/** One that breaks is soon asked no longer, so that few failures are all that there will be. */
const firstFailures = 3;
/** How likely a look takes an engine for worse that is not, by errors or by one quantile. */
const alpha = 0.0005;
/** A first token that comes so much later is no reason to go back. */
const slower = { times: 1.5, ms: 50 };
const quantiles = [0.5, 0.9] as const;

/** What of a side is compared. */
export type Counts = Pick<TakeoverSide, 'good' | 'failed' | 'faults' | 'ttftMs'>;

export interface Comparison {
  readonly newer: Counts;
  readonly older: Counts;
}

/**
 * `worse` in the course of the steps; `before`: what the older one did in each step so far, the first of them while the newer one had
 * no share. It is judged by all its failures. Its times depend on load and machine: they are those of this step. Where that has too
 * few, the newer one has to be late beside those from before the first step, when the older one had all of the load, and beside the
 * latest that there are enough of, when the machine was as it is. Pure.
 */
export function worseSoFar({ newer, older }: Comparison, before: readonly Counts[]): string | null {
  const counts = together([...before, older]);
  const [first] = before;
  const latest = before.findLast((one) => one.ttftMs.length >= enough);
  const held = [first, latest].flatMap((one) => (one && one.ttftMs.length >= enough ? [one] : []));
  const most = first && first.ttftMs.length > older.ttftMs.length ? first : older;
  const rivals = older.ttftMs.length >= enough ? [older] : held.length > 0 ? held : [most];
  const found = rivals.map((one) => worse({ newer, older: { ...counts, ttftMs: one.ttftMs } }));
  return found.includes(null) ? null : (found[0] ?? null);
}

/** Why the newer one is worse, as a sentence; null: nothing says so. Pure. */
export function worse({ newer, older }: Comparison): string | null {
  return moreErrors(newer, older) ?? laterTokens(newer.ttftMs, older.ttftMs);
}

function moreErrors(newer: Counts, older: Counts): string | null {
  const mine = { hits: newer.failed, of: newer.good + newer.failed };
  const theirs = { hits: older.failed, of: older.good + older.failed };
  if (mine.hits === 0) return null;
  const p = fisherGreater(mine, theirs);
  if (p > alpha) return null;
  return `${mine.hits} of ${mine.of} requests failed at the new one (${faultsText(newer)}), ${theirs.hits} of ${theirs.of} at the old one (p = ${p.toPrecision(2)})`;
}

function faultsText({ faults }: Counts): string {
  return Object.entries(faults)
    .toSorted(([, a], [, b]) => b - a)
    .map(([fault, count]) => `${fault} ${count}`)
    .join(', ');
}

function laterTokens(newer: readonly number[], older: readonly number[]): string | null {
  for (const quantile of quantiles) {
    const low = quantileBounds(newer, { quantile, alpha })?.low ?? null;
    const high = quantileBounds(older, { quantile, alpha })?.high ?? null;
    if (low === null || high === null || low <= slower.times * high + slower.ms) continue;
    return `the p${quantile * 100} of TTFT is ${msText(low)} or more at the new one (${newer.length} streams), ${msText(high)} or less at the old one (${older.length})`;
  }
  return null;
}

export function msText(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

export function requestsOf({ good, failed }: Counts): number {
  return good + failed;
}

/**
 * Whether it is time to look at a step: each time that the requests at the newer one, or its failures, have doubled, and at its end.
 * Looking at every moment would find something by chance. `before`: what it had at the latest look, or nothing.
 */
export function isLook(now: Counts, before: Counts): boolean {
  const requests = requestsOf(now);
  return (
    (requests >= firstLook && (requests >= enough || requests >= 2 * requestsOf(before))) ||
    (now.failed >= firstFailures && now.failed >= 2 * before.failed)
  );
}

export const none: Counts = { good: 0, failed: 0, faults: {}, ttftMs: [] };

/** Counts of several steps together. */
export function together(all: readonly Counts[]): Counts {
  const faults: Record<string, number> = {};
  for (const one of all)
    for (const [fault, count] of Object.entries(one.faults)) faults[fault] = (faults[fault] ?? 0) + count;
  return {
    good: all.reduce((sum, one) => sum + one.good, 0),
    failed: all.reduce((sum, one) => sum + one.failed, 0),
    faults,
    ttftMs: all.flatMap((one) => one.ttftMs),
  };
}
