import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { extent } from '../../stats/extent.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The part of a stage during which its load was whole. */
export function steadyWindow(
  records: readonly RecordRow[],
  options: { strategy: Strategy; seconds: number | null },
): Span | null {
  const { strategy, seconds } = options;
  return strategy.kind === 'closed'
    ? closedWindow(records, { streams: strategy.streams, seconds, thinking: strategy.talk !== undefined })
    : openWindow(records, seconds);
}

/** Of an open loop: from the first measured start that was due to the limit in seconds, else to the last one due. */
function openWindow(records: readonly RecordRow[], seconds: number | null): Span | null {
  const due = records.filter(({ phase }) => phase === 'measured').map(({ scheduled }) => scheduled);
  if (due.length === 0) return null;
  const { min: start, max } = extent(due);
  const end = Math.round(seconds === null ? max : Math.max(max, start + seconds * 1e6));
  return end > start ? { start: Math.round(start), end } : null;
}

/**
 * Of a closed loop: from the first measured request on, while every stream has a request in flight, to the limit in
 * seconds if there is one, else until the first stream has nothing more to send. Requests of the warm-up that are
 * still running at its start belong to the load, and their tokens count. Null when the streams were never all busy.
 */
function closedWindow(
  records: readonly RecordRow[],
  options: { streams: number; seconds: number | null; thinking: boolean },
): Span | null {
  const measured = records.filter((record) => record.phase === 'measured');
  if (measured.length === 0) return null;
  const admitted = extent(measured.map((record) => record.scheduled)).min;
  const firstSent = new Map<number, number>();
  const lastDone = new Map<number, number>();
  for (const record of records) {
    const sent = record.sent ?? record.done;
    firstSent.set(record.stream, Math.min(firstSent.get(record.stream) ?? sent, sent));
    lastDone.set(record.stream, Math.max(lastDone.get(record.stream) ?? 0, record.done));
  }
  if (firstSent.size < options.streams) return null;
  const start = Math.max(admitted, extent(firstSent.values()).max);
  const limit = options.seconds === null ? Number.POSITIVE_INFINITY : admitted + options.seconds * 1e6;
  // A user who thinks is part of the load: the last answer of a conversation is not its end.
  const over = options.thinking
    ? extent(measured.map(({ done }) => done)).max
    : extent(lastDone.values()).min;
  const end = Math.round(Math.min(limit, over));
  return end > start ? { start, end } : null;
}

/** What two spans have in common; null when that is nothing. */
export function commonWindow(window: Span | null, within: Span | undefined): Span | null {
  if (window === null || within === undefined) return window;
  const common = { start: Math.max(window.start, within.start), end: Math.min(window.end, within.end) };
  return common.end > common.start ? common : null;
}

/** Of a stage that was gone on with: the records of each part, for no window may span a break. */
export function partsOf(records: readonly RecordRow[], seams: readonly number[]): (readonly RecordRow[])[] {
  if (seams.length === 0) return [records];
  const bounds = [Number.NEGATIVE_INFINITY, ...seams, Number.POSITIVE_INFINITY];
  return bounds
    .slice(1)
    .map((end, i) => records.filter(({ done }) => done > (bounds[i] as number) && done <= end));
}

/** First measured request sent to last one done: ramp and drain included. */
export function wholeSpan(records: readonly RecordRow[]): Span | null {
  const measured = records.filter((record) => record.phase === 'measured');
  const start = extent(measured.map((record) => record.sent ?? record.scheduled)).min;
  const end = extent(measured.map((record) => record.done)).max;
  return measured.length > 0 && end > start ? { start, end } : null;
}
