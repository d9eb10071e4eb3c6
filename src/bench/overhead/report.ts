import { addedQuantile, cpuPerEvent, fewestForP99, ttftQuantile } from './compare.ts';
import type { Difference, Turn } from './compare.ts';
import type { Measured, Side } from './measure.ts';

/** One way to the engine, beside going there directly. */
export interface OverheadRow {
  readonly name: string;
  readonly url: string;
  readonly requests: number;
  readonly events: number;
  readonly ttftP50Ms: number;
  readonly ttftP99Ms: number | null;
  /** Beside `direct`; null where there are too few requests to say. */
  readonly addedP50: Difference | null;
  readonly addedP99: Difference | null;
  /** Processor time of the proxy, what it takes while idle taken off. */
  readonly cpuUsPerEvent: number | null;
}

export interface OverheadReport {
  readonly deployment: string;
  readonly pairs: number;
  readonly streams: number;
  readonly tokens: number;
  /**
   * The first is `direct`. `direct again` goes to the same place: its difference is what this machine's noise alone makes.
   */
  readonly rows: readonly OverheadRow[];
  readonly notes: readonly string[];
}

/** `measured` must hold the side that the others are compared with first. */
export function overheadReport(
  measured: Measured,
  about: Pick<OverheadReport, 'deployment' | 'streams' | 'tokens' | 'notes'>,
): OverheadReport {
  const entries = [...measured.turns];
  const base = entries[0]?.[1] ?? [];
  return {
    ...about,
    pairs: base.length,
    rows: entries.map(([side, turns], i) => rowOf(side, turns, i === 0 ? null : base, measured)),
  };
}

function rowOf(
  side: Side,
  turns: readonly Turn[],
  base: readonly Turn[] | null,
  { idle }: Measured,
): OverheadRow {
  const requests = turns.reduce((sum, turn) => sum + turn.ttftMs.length, 0);
  return {
    name: side.name,
    url: side.url,
    requests,
    events: turns.reduce((sum, turn) => sum + turn.events, 0),
    ttftP50Ms: ttftQuantile(turns, 0.5),
    ttftP99Ms: requests < fewestForP99 ? null : ttftQuantile(turns, 0.99),
    addedP50: base && addedQuantile(base, turns, 0.5),
    addedP99: base && addedQuantile(base, turns, 0.99),
    cpuUsPerEvent: cpuPerEvent(turns, idle.get(side) ?? null),
  };
}
