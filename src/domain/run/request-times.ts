import type { RecordRow } from './record-row.ts';
import type { RequestRecord } from './record.ts';

/** Latencies of one request in ms; null: the request does not have it. */
export interface RequestTimes {
  readonly ttft: number | null;
  readonly ttftScheduled: number | null;
  readonly ttfot: number | null;
  readonly itlMean: number | null;
  readonly tpot: number | null;
  readonly e2e: number | null;
  readonly e2eScheduled: number | null;
}

/**
 * Each event with words in it is of a token at least, but for a rest that may be held back to the end: a count that is
 * further below that of events is wrong, or the events are not those of the engine.
 */
export function countsTooFew({ events, output }: Pick<RecordRow, 'events' | 'output'>): boolean {
  return output.tokens !== null && output.tokens < events - 1;
}

/**
 * Time per output token in ms. Null where one event alone has no second time to measure by, however many tokens it
 * carried, and where the count of tokens cannot be true.
 */
export function tpotOf(record: Pick<RecordRow, 'events' | 'output' | 'firstToken' | 'last'>): number | null {
  const { firstToken: first, last, events, output } = record;
  if (first === null || last === null || events < 2) return null;
  if (output.tokens === null || output.tokens < 2 || countsTooFew(record)) return null;
  return (last - first) / (output.tokens - 1) / 1000;
}

/** What a request's stamps say by the definitions of a report, whatever its outcome. */
export function requestTimes(record: RequestRecord): RequestTimes {
  const { sent, scheduled, firstToken: first, firstContent, last, events } = record;
  const end = last ?? record.done;
  const span = first === null || last === null || events < 2 ? null : (last - first) / 1000;
  return {
    ttft: first === null || sent === null ? null : (first - sent) / 1000,
    ttftScheduled: first === null ? null : (first - scheduled) / 1000,
    ttfot: firstContent === null || sent === null ? null : (firstContent - sent) / 1000,
    itlMean: span === null ? null : span / (events - 1),
    tpot: tpotOf(record),
    e2e: sent === null ? null : (end - sent) / 1000,
    e2eScheduled: sent === null ? null : (end - scheduled) / 1000,
  };
}
