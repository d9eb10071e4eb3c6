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

/** What a request's stamps say by the definitions of a report, whatever its outcome. */
export function requestTimes(record: RequestRecord): RequestTimes {
  const { sent, scheduled, firstToken: first, firstContent, last, events } = record;
  const tokens = record.output.tokens;
  const end = last ?? record.done;
  // One event alone has no second time to measure by, however many tokens it carried.
  const span = first === null || last === null || events < 2 ? null : (last - first) / 1000;
  return {
    ttft: first === null || sent === null ? null : (first - sent) / 1000,
    ttftScheduled: first === null ? null : (first - scheduled) / 1000,
    ttfot: firstContent === null || sent === null ? null : (firstContent - sent) / 1000,
    itlMean: span === null ? null : span / (events - 1),
    tpot: span === null || tokens === null || tokens < 2 ? null : span / (tokens - 1),
    e2e: sent === null ? null : (end - sent) / 1000,
    e2eScheduled: sent === null ? null : (end - scheduled) / 1000,
  };
}
