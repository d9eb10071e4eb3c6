import type { RequestRecord } from '../../domain/run/record.ts';

/** Values in ms, in the order in which the requests were sent. */
export interface Latencies {
  readonly ttft: number[];
  readonly ttftScheduled: number[];
  readonly ttfot: number[];
  readonly ttfotScheduled: number[];
  readonly itl: number[];
  readonly itlMeanPerRequest: number[];
  readonly tpot: number[];
  readonly e2e: number[];
  readonly e2eScheduled: number[];
}

/** Latencies of good measured requests. What a request does not have (a first token, a second one) it does not add. */
export function latenciesOf(records: readonly RequestRecord[]): Latencies {
  const found: Latencies = {
    ttft: [],
    ttftScheduled: [],
    ttfot: [],
    ttfotScheduled: [],
    itl: [],
    itlMeanPerRequest: [],
    tpot: [],
    e2e: [],
    e2eScheduled: [],
  };
  const good = records.filter((record) => record.phase === 'measured' && record.outcome === 'ok');
  good.sort((a, b) => (a.sent ?? a.scheduled) - (b.sent ?? b.scheduled));
  for (const record of good) {
    const { sent, firstToken: first, last } = record;
    if (sent === null) continue;
    found.e2e.push(((last ?? record.done) - sent) / 1000);
    found.e2eScheduled.push(((last ?? record.done) - record.scheduled) / 1000);
    if (first === null || last === null) continue;
    found.ttft.push((first - sent) / 1000);
    found.ttftScheduled.push((first - record.scheduled) / 1000);
    if (record.firstContent !== null) {
      found.ttfot.push((record.firstContent - sent) / 1000);
      found.ttfotScheduled.push((record.firstContent - record.scheduled) / 1000);
    }
    for (const gap of record.gaps) found.itl.push(gap / 1000);
    if (record.events > 1) found.itlMeanPerRequest.push((last - first) / (record.events - 1) / 1000);
    const tokens = record.output.tokens;
    // One event alone has no second time to measure by, however many tokens it carried.
    if (tokens !== null && tokens > 1 && record.events > 1)
      found.tpot.push((last - first) / (tokens - 1) / 1000);
  }
  return found;
}

/** Gaps that a reader notices: over five times the usual one, and over a quarter of a second. */
export function stallsOf(itl: readonly number[], median: number): { count: number; thresholdMs: number } {
  const thresholdMs = Math.max(5 * median, 250);
  return { count: itl.filter((gap) => gap > thresholdMs).length, thresholdMs };
}
