import type { RequestRecord } from '../../domain/run/record.ts';
import type { ClientHealth } from '../../domain/run/stage-report.ts';
import { percentile, sortedCopy } from '../../stats/percentile.ts';

/** What the load generator measured about itself during a stage. */
export interface ClientLoad {
  /** Delay of the event loop, p99. */
  readonly loopDelayP99Ms: number | null;
  readonly cpuShare: number | null;
}

/**
 * Whether the client, and not the server, made the figures. A delay counts against 5 % of the median TTFT, but never
 * below 5 ms for lag and 10 ms for the event loop: a busy machine is not yet a wrong figure.
 */
export function clientHealth(
  records: readonly RequestRecord[],
  load: ClientLoad,
  ttftP50Ms: number | null,
): ClientHealth {
  const lags = sortedCopy(records.flatMap(lagMs));
  const lagP99Ms = lags.length === 0 ? null : percentile(lags, 0.99);
  const share = 0.05 * (ttftP50Ms ?? 0);
  const lagLimit = Math.max(5, share);
  const loopLimit = Math.max(10, share);
  const reasons: string[] = [];
  // Of a handful of requests, one late one is chance: two must be.
  const late = lags.filter((lag) => lag > lagLimit).length;
  if (lagP99Ms !== null && lagP99Ms > lagLimit && late > 1)
    reasons.push(`requests left ${round(lagP99Ms)} ms late (p99; limit ${round(lagLimit)} ms)`);
  if (load.loopDelayP99Ms !== null && load.loopDelayP99Ms > loopLimit)
    reasons.push(
      `the client's event loop was held up ${round(load.loopDelayP99Ms)} ms (p99; limit ${round(loopLimit)} ms)`,
    );
  if (load.cpuShare !== null && load.cpuShare > 0.8)
    reasons.push(`the client used ${Math.round(load.cpuShare * 100)} % of its core (limit 80 %)`);
  return {
    lagP99Ms,
    loopDelayP99Ms: load.loopDelayP99Ms,
    cpuShare: load.cpuShare,
    limited: reasons.length > 0,
    reasons,
  };
}

/** Time that the client lost before the request was out, without the time that connecting took. */
function lagMs(record: RequestRecord): number[] {
  const { started, connected, sent, scheduled } = record;
  if (record.phase !== 'measured' || started === null || connected === null || sent === null) return [];
  return [(started - scheduled + (sent - connected)) / 1000];
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
