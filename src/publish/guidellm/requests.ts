import type { RequestRecord } from '../../domain/run/record.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import type { Status } from './distribution.ts';

/**
 * A request by GuideLLM's clock: seconds since 1970, begun when the client began. Its time to first token therefore
 * counts the connecting, which berth's does not.
 */
export interface TimedRequest {
  readonly record: RequestRecord;
  readonly status: Exclude<Status, 'total'>;
  readonly targeted: number;
  readonly start: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly end: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
}

/** The measured requests of a stage in the order in which they began; GuideLLM leaves out its warm-up as well. */
export function timedRequests(
  report: Report,
  stage: StageReport,
  records: readonly RequestRecord[],
): TimedRequest[] {
  const zero = Date.parse(report.startedAt) / 1000;
  function at(micros: number): number {
    return zero + micros / 1e6;
  }
  return records
    .filter((record) => record.stage === stage.index && record.phase === 'measured')
    .map((record) => ({
      record,
      status: statusOf(record),
      targeted: at(record.scheduled),
      start: at(record.started ?? record.sent ?? record.scheduled),
      first: record.firstToken === null ? null : at(record.firstToken),
      last: record.last === null ? null : at(record.last),
      end: at(record.done),
      promptTokens: record.prompt.tokens,
      outputTokens: record.output.tokens,
    }))
    .sort((a, b) => a.start - b.start);
}

function statusOf({ outcome }: RequestRecord): TimedRequest['status'] {
  if (outcome === 'ok') return 'successful';
  return outcome === 'censored' ? 'incomplete' : 'errored';
}

/** How many ended in which way. */
export function countsOf(requests: readonly TimedRequest[]): Record<Status, number> {
  function count(status: Status): number {
    return requests.filter((request) => request.status === status).length;
  }
  return {
    successful: count('successful'),
    errored: count('errored'),
    incomplete: count('incomplete'),
    total: requests.length,
  };
}

/** Seconds from the first request begun to the last one ended; now and the same where nothing was sent. */
export function spanOf(report: Report, requests: readonly TimedRequest[]): { start: number; end: number } {
  const zero = Date.parse(report.startedAt) / 1000;
  return {
    start: requests[0]?.start ?? zero,
    end: requests.reduce((latest, { end }) => Math.max(latest, end), zero),
  };
}
