import { figuresOf } from './request-figures.ts';
import type { TimedRequest } from './requests.ts';

const states = { successful: 'completed', errored: 'errored', incomplete: 'cancelled' } as const;

/** One request in the second layout. */
export function request2(request: TimedRequest): unknown {
  const { record, start, first, last, end, promptTokens, outputTokens } = request;
  const id = `${record.stage}-${record.id}`;
  const content =
    first === null || record.firstContent === null || record.firstToken === null
      ? null
      : first + (record.firstContent - record.firstToken) / 1e6;
  return {
    type_: 'generative_request_stats',
    request_id: id,
    response_id: null,
    request_args: null,
    output: record.text,
    reasoning_output: null,
    tool_calls: null,
    info: {
      request_id: id,
      turn_index: 0,
      status: states[request.status],
      scheduler_node_id: 0,
      scheduler_process_id: 0,
      scheduler_start_time: request.targeted,
      timings: {
        targeted_start: request.targeted,
        queued: request.targeted,
        dequeued: request.targeted,
        scheduled_at: request.targeted,
        resolve_start: start,
        request_start: start,
        first_request_iteration: first,
        first_token_iteration: first,
        first_output_token_iteration: content,
        last_token_iteration: last,
        last_request_iteration: last,
        request_iterations: record.events,
        token_iterations: record.events,
        request_end: end,
        resolve_end: end,
        finalized: end,
      },
      settings: { relative_timestamp: null, requeue_delay: null },
      error: record.error,
      traceback: null,
    },
    input_metrics: { text_tokens: promptTokens, cached_tokens: record.cached },
    output_metrics: { text_tokens: outputTokens },
    ...derived(request),
  };
}

function derived(request: TimedRequest): Record<string, unknown> {
  const { start, end, promptTokens, outputTokens } = request;
  const figures = figuresOf(request);
  return {
    request_start_time: start,
    request_end_time: end,
    request_latency: figures.latency,
    prompt_tokens: promptTokens,
    output_tokens: outputTokens,
    total_tokens: promptTokens === null || outputTokens === null ? null : promptTokens + outputTokens,
    time_to_first_token_ms: figures.ttft ?? null,
    time_per_output_token_ms: figures.tpot ?? null,
    inter_token_latency_ms: figures.itl ?? null,
  };
}
