import type { RequestRecord } from '../../domain/run/record.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import type { FilePublisher } from '../contract.ts';
import type { Status } from './distribution.ts';
import { loadOf, sizesOf } from './load-shape.ts';
import type { GuideLlmLoad } from './load-shape.ts';
import { metricsOf } from './metrics.ts';
import { countsOf, spanOf, timedRequests } from './requests.ts';
import type { TimedRequest } from './requests.ts';
import { mean } from './scheduler.ts';

/** The report file of GuideLLM up to 0.3, which older scripts read: `benchmarks` alone, with `args` and `run_stats`. */
export const guidellm03: FilePublisher<'guidellm-0.3'> = {
  kind: 'guidellm-0.3',
  title: 'the report file of GuideLLM 0.3, for older scripts',
  fileName: 'guidellm-0.3.json',
  contentType: 'application/json',
  kept: false,
  render: async (report, readRecords) => {
    const records = await readRecords();
    const benchmarks = report.stages.map((stage) => benchmarkOf(report, stage, records));
    return `${JSON.stringify({ benchmarks }, null, 4)}\n`;
  },
};

function benchmarkOf(report: Report, stage: StageReport, records: readonly RequestRecord[]): unknown {
  const requests = timedRequests(report, stage, records);
  const span = spanOf(report, requests);
  const counts = countsOf(requests);
  const { stages } = report;
  return {
    type_: 'generative_benchmark',
    id_: `${report.id}-${stage.index}`,
    run_id: report.id,
    args: argsOf(
      report,
      stage,
      stages.map((each) => loadOf(report, each)),
    ),
    run_stats: runStats(requests, counts, span),
    worker: {
      type_: 'generative_requests_worker',
      backend_type: 'openai_http',
      backend_target: report.spec.target.url,
      backend_model: report.server.model,
      backend_info: {},
    },
    request_loader: {
      type_: 'generative_request_loader',
      data: Object.entries(sizesOf(report))
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
      data_args: null,
      processor: report.server.model,
      processor_args: null,
    },
    extras: { berth_run: report.id, berth_client_limited: report.clientLimited },
    metrics: metricsOf(requests, span, '0.3'),
    request_totals: counts,
    request_samples: null,
    requests: {
      successful: of(requests, 'successful').map((request) => requestOf(report, request)),
      incomplete: of(requests, 'incomplete').map((request) => requestOf(report, request)),
      errored: of(requests, 'errored').map((request) => requestOf(report, request)),
      total: null,
    },
    start_time: span.start,
    end_time: span.end,
    duration: span.end - span.start,
  };
}

function of(requests: readonly TimedRequest[], status: TimedRequest['status']): TimedRequest[] {
  return requests.filter((request) => request.status === status);
}

function strategyOf({ kind, streams, rate }: GuideLlmLoad, seed: number): Record<string, unknown> {
  return {
    type_: kind,
    ...(kind === 'concurrent' ? { streams } : {}),
    ...(rate === null ? {} : { rate }),
    ...(kind === 'poisson' ? { random_seed: seed } : {}),
  };
}

function argsOf(report: Report, stage: StageReport, loads: readonly GuideLlmLoad[]): unknown {
  const { seed, limits } = report.spec;
  const strategies = loads.map((load) => strategyOf(load, seed));
  const own = loads[stage.index] ?? loadOf(report, stage);
  const profile =
    own.kind === 'synchronous'
      ? { type_: 'synchronous' }
      : own.rate === null
        ? { type_: 'concurrent', streams: loads.flatMap(({ streams }) => streams ?? []) }
        : { type_: 'async', strategy_type: own.kind, rate: loads.flatMap(({ rate }) => rate ?? []) };
  return {
    profile: { ...profile, completed_strategies: strategies.length, measured_rates: [] },
    strategy_index: stage.index,
    strategy: strategyOf(own, seed),
    max_number: limits.requests,
    max_duration: limits.seconds,
    warmup_number: null,
    warmup_duration: null,
    cooldown_number: null,
    cooldown_duration: null,
  };
}

function runStats(
  requests: readonly TimedRequest[],
  counts: Record<Status, number>,
  span: { start: number; end: number },
): unknown {
  const lateness = mean(requests.map(({ start, targeted }) => start - targeted));
  return {
    start_time: span.start,
    end_time: span.end,
    requests_made: counts,
    queued_time_avg: 0,
    scheduled_time_delay_avg: 0,
    scheduled_time_sleep_avg: 0,
    worker_start_delay_avg: 0,
    worker_time_avg: mean(requests.map(({ start, end }) => end - start)),
    worker_start_time_targeted_delay_avg: lateness,
    request_start_time_delay_avg: lateness,
    request_start_time_targeted_delay_avg: lateness,
    request_time_delay_avg: 0,
    request_time_avg: mean(requests.map(({ start, end }) => end - start)),
  };
}

/** GuideLLM's names; what it had no name for keeps its own. */
const requestTypes: Readonly<Record<string, string>> = {
  chat: 'chat_completions',
  completions: 'text_completions',
};

function requestOf(report: Report, request: TimedRequest): unknown {
  const { record, status, start, end, targeted, first, last } = request;
  const good = status === 'successful';
  return {
    type_: good ? 'generative_text_response' : 'generative_text_error',
    request_id: `${record.stage}-${record.id}`,
    request_type: requestTypes[report.spec.target.api] ?? report.spec.target.api,
    scheduler_info: {
      requested: true,
      completed: good,
      errored: status === 'errored',
      canceled: status === 'incomplete',
      targeted_start_time: targeted,
      queued_time: targeted,
      dequeued_time: targeted,
      scheduled_time: targeted,
      worker_start: start,
      request_start: start,
      request_end: end,
      worker_end: end,
      process_id: 0,
    },
    prompt: '',
    output: record.text ?? '',
    prompt_tokens: request.promptTokens ?? 0,
    output_tokens: request.outputTokens ?? 0,
    start_time: start,
    end_time: end,
    // An answer that is not streamed comes whole, at its end.
    first_token_time: first ?? (good ? end : null),
    last_token_time: last ?? (good ? end : null),
    ...(good ? {} : { error: record.error ?? record.outcome }),
  };
}
