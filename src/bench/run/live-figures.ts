import type { RequestRecord } from '../../domain/run/record.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';

/** Medians of the requests that ended lately, for whoever watches; null when none did. */
export interface LiveFigures {
  readonly ttftMs: number | null;
  readonly itlMs: number | null;
}

const lately = 10_000_000;

/** Keeps the figures of the last ten seconds of the run's clock (µs). */
export function createLiveFigures(): {
  add: (record: RequestRecord) => void;
  at: (now: number) => LiveFigures;
} {
  let recent: { done: number; ttft: number | null; itl: number | null }[] = [];
  return {
    add: ({ done, sent, firstToken, last, events, outcome }) => {
      if (outcome !== 'ok' || sent === null || firstToken === null || last === null) return;
      const itl = events > 1 ? (last - firstToken) / (events - 1) / 1000 : null;
      recent.push({ done, ttft: (firstToken - sent) / 1000, itl });
    },
    at: (now) => {
      recent = recent.filter(({ done }) => done > now - lately);
      return { ttftMs: median(recent.map(({ ttft }) => ttft)), itlMs: median(recent.map(({ itl }) => itl)) };
    },
  };
}

function median(values: readonly (number | null)[]): number | null {
  const known = sortedCopy(values.flatMap((value) => value ?? []));
  return known.length === 0 ? null : percentile(known, 0.5);
}
