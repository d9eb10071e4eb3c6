import type { RecordRow } from '../../domain/run/record-row.ts';
import type { ClientHealth } from '../../domain/run/stage-report.ts';
import { percentile } from '../../stats/percentile.ts';

/** What the load generator measured about itself during a stage. */
export interface ClientLoad {
  /** Delay of the event loop, p99. */
  readonly loopDelayP99Ms: number | null;
  readonly cpuShare: number | null;
  /** How much further the wall clock went than the monotonic one, over so long a time; absent: not known. */
  readonly clockDriftMs?: number | null;
  readonly elapsedMs?: number | null;
}

/** Clocks that are kept in step by slewing differ by less; a machine that slept or was set differs by more. */
const leastDriftMs = 100;
const mostDriftShare = 0.005;

/**
 * Whether the client, and not the server, made the figures. A delay counts against 5 % of the median TTFT, but never
 * below 5 ms for lag and 10 ms for the event loop: a busy machine is not yet a wrong figure.
 */
export function clientHealth(
  records: readonly RecordRow[],
  load: ClientLoad,
  ttftP50Ms: number | null,
): ClientHealth {
  const lags = lagsOf(records).sort();
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
  const driftMs = load.clockDriftMs ?? null;
  const driftLimit = Math.max(leastDriftMs, mostDriftShare * (load.elapsedMs ?? 0));
  if (driftMs !== null && Math.abs(driftMs) > driftLimit)
    reasons.push(
      `the wall clock went ${round(Math.abs(driftMs))} ms ${driftMs > 0 ? 'further' : 'less far'} than the monotonic one (limit ${round(driftLimit)} ms): the machine slept, or a clock was set`,
    );
  const achieved = achievedShare(records);
  if (achieved !== null && achieved < fewestAchieved)
    reasons.push(
      `requests started at ${Math.round(achieved * 100)} % of the rate that was asked for (limit ${fewestAchieved * 100} %)`,
    );
  return {
    lagP99Ms,
    loopDelayP99Ms: load.loopDelayP99Ms,
    cpuShare: load.cpuShare,
    clockDriftMs: driftMs,
    limited: reasons.length > 0,
    reasons,
  };
}

/** Of the rate at which requests were due, the share at which they started. */
const fewestAchieved = 0.98;

/** Null where there is too little to tell a rate by: a single late start must not decide. */
function achievedShare(records: readonly RecordRow[]): number | null {
  const due = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  const made = { ...due };
  let starts = 0;
  for (const { phase, scheduled, started } of records) {
    if (phase !== 'measured' || started === null) continue;
    starts += 1;
    due.min = Math.min(due.min, scheduled);
    due.max = Math.max(due.max, scheduled);
    made.min = Math.min(made.min, started);
    made.max = Math.max(made.max, started);
  }
  if (starts < 50 || due.max - due.min < 1e6 || made.max === made.min) return null;
  return (due.max - due.min) / (made.max - made.min);
}

/** Time that the client lost before the request was out, without the time that connecting took. */
function lagsOf(records: readonly RecordRow[]): Float64Array {
  const lags = new Float64Array(records.length);
  let count = 0;
  for (const { phase, started, connected, sent, scheduled } of records) {
    if (phase !== 'measured' || started === null || connected === null || sent === null) continue;
    lags[count] = (started - scheduled + (sent - connected)) / 1000;
    count += 1;
  }
  return lags.subarray(0, count);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
