import type { Status } from './distribution.ts';
import type { TimedRequest } from './requests.ts';

/** What GuideLLM tells of its own scheduler, as far as berth's client has the like of it; -1 stands for nothing there. */
export function scheduler(
  requests: readonly TimedRequest[],
  counts: Record<Status, number>,
  span: { start: number; end: number },
): { scheduler_state: unknown; scheduler_metrics: unknown } {
  const lateness = mean(requests.map(({ start, targeted }) => start - targeted));
  const time = mean(requests.map(({ start, end }) => end - start));
  return {
    scheduler_state: {
      node_id: 0,
      num_processes: 1,
      start_time: span.start,
      end_time: span.end,
      start_requests_time: span.start,
      end_requests_time: span.end,
      end_queuing_time: span.end,
      end_processing_time: span.end,
      created_requests: counts.total,
      queued_requests: 0,
      pending_requests: 0,
      processing_requests: 0,
      processed_requests: counts.total,
      successful_requests: counts.successful,
      errored_requests: counts.errored,
      cancelled_requests: counts.incomplete,
    },
    scheduler_metrics: {
      start_time: span.start,
      request_start_time: span.start,
      measure_start_time: span.start,
      measure_end_time: span.end,
      request_end_time: span.end,
      end_time: span.end,
      requests_made: counts,
      queued_time_avg: 0,
      resolve_start_delay_avg: lateness,
      resolve_targeted_start_delay_avg: lateness,
      request_start_delay_avg: lateness,
      request_targeted_start_delay_avg: lateness,
      request_time_avg: time,
      resolve_end_delay_avg: 0,
      resolve_time_avg: time,
      finalized_delay_avg: 0,
      processed_delay_avg: 0,
    },
  };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
