import type { RecordRow } from '../../domain/run/record-row.ts';
import type { Settled } from '../../domain/run/stage-report.ts';
import { startUpLength } from '../../stats/mser.ts';
import { steadyThroughput } from './throughput.ts';
import type { Span } from './window.ts';

const bins = 250;
/** With fewer, a bin's rate is chance. */
const fewestEvents = 2 * bins;

/**
 * The part of the window after its start-up, by the rate of token events in 250 equal parts of it (MSER-5): that every
 * stream was busy does not mean yet that the server's batch had found its rhythm. Null where too little was seen.
 */
export function settledPart(records: readonly RecordRow[], window: Span): Settled | null {
  const width = (window.end - window.start) / bins;
  const rates = new Float64Array(bins);
  let events = 0;
  function count(at: number): void {
    if (at <= window.start || at > window.end) return;
    const bin = Math.min(bins - 1, Math.floor((at - window.start) / width));
    rates[bin] = (rates[bin] as number) + 1;
    events += 1;
  }
  for (const record of records) {
    const { firstToken, outcome } = record;
    if (firstToken === null && outcome === 'ok') count(record.done);
    if (firstToken === null) continue;
    const { gaps } = record;
    let at = firstToken;
    count(at);
    for (let i = 0; i < gaps.length; i += 1) count((at += gaps[i] as number));
  }
  if (events < fewestEvents) return null;
  const cut = startUpLength([...rates]);
  if (cut === null) return { found: false, cutSeconds: null, cutShare: null, outputTokensPerSecond: null };
  const start = Math.round(window.start + cut * width);
  const { outputTokensPerSecond } = steadyThroughput(records, { start, end: window.end });
  return {
    found: true,
    cutSeconds: (start - window.start) / 1e6,
    cutShare: cut / bins,
    outputTokensPerSecond,
  };
}
