import type { RecordRow } from '../../domain/run/record-row.ts';
import type { OpenLoop } from '../../domain/run/stage-report.ts';
import { extent } from '../../stats/extent.ts';

/** What became of the schedule: rates over the starts that were made, so that dropped ones lower neither. */
export function openLoopOf(measured: readonly RecordRow[], dropped: number | null): OpenLoop {
  return {
    dropped,
    scheduledPerSecond: rateOf(measured.map((record) => record.scheduled)),
    startedPerSecond: rateOf(measured.flatMap(({ started }) => (started === null ? [] : [started]))),
  };
}

/** Requests in flight on average, at least 1: Little's law over the time that the requests took. */
export function concurrencyOf(measured: readonly RecordRow[]): number {
  if (measured.length === 0) return 1;
  const busy = measured.reduce((sum, record) => sum + (record.done - record.scheduled), 0);
  const start = extent(measured.map((record) => record.scheduled)).min;
  const end = extent(measured.map((record) => record.done)).max;
  return end > start ? Math.max(1, Math.round(busy / (end - start))) : 1;
}

/** Events a second between the first and the last moment, in µs; null of fewer than two. */
function rateOf(moments: readonly number[]): number | null {
  if (moments.length < 2) return null;
  const { min, max } = extent(moments);
  return max > min ? ((moments.length - 1) * 1e6) / (max - min) : null;
}
