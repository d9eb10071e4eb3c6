import type { Interval } from '../../stats/bootstrap.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';
import { seededRandom } from '../../stats/random.ts';

/** What one turn of one side brought: times to the first token of its requests, in ms, and what it cost. */
export interface Turn {
  readonly ttftMs: readonly number[];
  readonly events: number;
  readonly durationMs: number;
  /** Processor time of the proxy during the turn, in µs; null where it is unknown. */
  readonly cpuUs: number | null;
}

export interface Difference {
  readonly ms: number;
  /** 95 %, by drawing whole turns anew. */
  readonly interval: Interval;
}

const resamples = 1000;
/** Below that many requests a 99th percentile is little more than the largest value. */
export const fewestForP99 = 200;

/** By how much a quantile of `side` lies above that of `base`; the turns of both belong together in pairs. Null when there are too few. */
export function addedQuantile(base: readonly Turn[], side: readonly Turn[], q: number): Difference | null {
  const n = Math.min(base.length, side.length);
  const requests = side.reduce((sum, turn) => sum + turn.ttftMs.length, 0);
  if (n < 10 || (q > 0.9 && requests < fewestForP99)) return null;
  const random = seededRandom(1, n);
  const draws: number[] = [];
  for (let i = 0; i < resamples; i += 1) {
    const picks = Array.from({ length: n }, () => random.below(n));
    draws.push(quantileOf(side, picks, q) - quantileOf(base, picks, q));
  }
  draws.sort((a, b) => a - b);
  const all = Array.from({ length: n }, (_, i) => i);
  return {
    ms: quantileOf(side, all, q) - quantileOf(base, all, q),
    interval: [percentile(draws, 0.025), percentile(draws, 0.975)],
  };
}

export function ttftQuantile(turns: readonly Turn[], q: number): number {
  return quantileOf(
    turns,
    turns.map((_, i) => i),
    q,
  );
}

function quantileOf(turns: readonly Turn[], picks: readonly number[], q: number): number {
  return percentile(sortedCopy(picks.flatMap((i) => turns[i]?.ttftMs ?? [])), q);
}

/**
 * Processor time per event, in µs. What the proxy also takes while it is idle is taken off, by its rate during the
 * turns of others (`idle`). Null where it is unknown.
 */
export function cpuPerEvent(
  turns: readonly Turn[],
  idle: { cpuUs: number; durationMs: number } | null,
): number | null {
  let cpuUs = 0;
  let events = 0;
  let durationMs = 0;
  for (const turn of turns) {
    if (turn.cpuUs === null) return null;
    cpuUs += turn.cpuUs;
    events += turn.events;
    durationMs += turn.durationMs;
  }
  if (events === 0) return null;
  const idleRate = idle && idle.durationMs > 0 ? idle.cpuUs / idle.durationMs : 0;
  return Math.max(0, cpuUs - idleRate * durationMs) / events;
}
