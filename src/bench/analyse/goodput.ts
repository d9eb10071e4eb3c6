import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import { tpotOf } from '../../domain/run/request-times.ts';
import type { Slo } from '../../domain/run/spec.ts';
import type { Goodput } from '../../domain/run/stage-report.ts';
import type { Span } from './window.ts';

/**
 * Requests that kept every objective, of all measured ones: a request that failed kept none, one that we cut ourselves is
 * left out, and one without a figure that an objective wants did not keep it. Of an open loop times count from when the
 * request was due. Null without objectives or requests.
 */
export function goodputOf(
  records: readonly RecordRow[],
  stage: { slo: Slo | null; strategy: Strategy; span: Span | null },
): Goodput | null {
  const { slo, strategy, span } = stage;
  if (slo === null) return null;
  const judged = records.filter(({ phase, outcome }) => phase === 'measured' && outcome !== 'censored');
  if (judged.length === 0) return null;
  const good = judged.filter((record) => keeps(record, slo, strategy)).length;
  const seconds = span === null ? null : (span.end - span.start) / 1e6;
  return { good, share: good / judged.length, perSecond: seconds && good / seconds };
}

function keeps(record: RecordRow, slo: Slo, strategy: Strategy): boolean {
  if (record.outcome !== 'ok') return false;
  const from = strategy.kind === 'open' ? record.scheduled : record.sent;
  const { firstToken: first, last, output } = record;
  const tpot = tpotOf(record);
  return (
    within(from === null || first === null ? null : first - from, slo.ttftMs) &&
    // An answer of one token has no time between tokens to be late in.
    (output.tokens === 1 || within(tpot === null ? null : 1000 * tpot, slo.tpotMs)) &&
    within(from === null ? null : (last ?? record.done) - from, slo.e2eMs)
  );
}

function within(micros: number | null, limitMs: number | null): boolean {
  return limitMs === null || (micros !== null && micros <= limitMs * 1000);
}
