import { z } from 'zod';
import type { ForeignRun, ForeignStage, ForeignSummary } from '../../../domain/run/foreign-run.ts';
import type { RunReader } from '../contract.ts';
import { GuideLlmFile, layoutOf } from './layout.ts';
import type { Benchmark, Distribution, Request, Strategy } from './layout.ts';

const Shape = z.object({
  benchmarks: z
    .array(z.object({ type_: z.literal('generative_benchmark'), metrics: z.looseObject({}) }))
    .min(1),
});

/** Report files of GuideLLM: the layouts of 0.1 to 0.3, of 0.4, of 0.5 and 0.6, and of 0.7 and later. */
export const guidellm: RunReader<'guidellm'> = {
  kind: 'guidellm',
  title: 'report of GuideLLM, every layout (JSON)',
  recognises: (value) => Shape.safeParse(value).success,
  read: (value, name) => {
    const file = GuideLlmFile.parse(value);
    const { tool, old } = layoutOf(file);
    const [first] = file.benchmarks;
    const backend = file.config?.spec?.backend;
    const format = backend?.request_format ?? file.args?.request_type;
    return {
      tool,
      name,
      model: backend?.model ?? file.args?.model ?? first?.worker?.backend_model ?? null,
      url: backend?.target ?? file.args?.target ?? first?.worker?.backend_target ?? null,
      startedAt: first?.start_time ? new Date(first.start_time * 1000).toISOString() : null,
      api: format ? (/chat/.test(format) ? 'chat' : 'completions') : null,
      streamed: backend?.stream ?? null,
      // It takes the server's usage, but falls back to its own count without saying so.
      tokensSource: null,
      stages: file.benchmarks.map(stageOf),
      notes: notesOf(file, old),
    };
  },
};

function notesOf(file: GuideLlmFile, old: boolean): ForeignRun['notes'] {
  const whole = file.benchmarks.every(hasAllRequests);
  return [
    'its inter_token_latency is a mean of each request: it stands as TPOT; gaps between tokens are not in its files, so that there is no ITL',
    old
      ? 'its time_per_output_token divides by all tokens and is left out'
      : 'its time_per_output_token has the time to the first token in it and is left out',
    'its clock starts before the connection is there, berth’s when the request is written: TTFT and E2E have the connecting in them',
    ...(whole
      ? [
          'TPOT, TTFT and E2E are computed again from its requests, to the last token and with berth’s percentiles',
        ]
      : [
          'it kept not all of its requests: percentiles are its own (no interpolation, ITL weighted by tokens), E2E runs to the end of the stream and is left out, and nothing tells how sure a difference is',
        ]),
  ];
}

function stageOf(benchmark: Benchmark): ForeignStage {
  const { metrics } = benchmark;
  const strategy = benchmark.args?.strategy ?? benchmark.config?.strategy;
  const totals = metrics.request_totals ?? benchmark.request_totals;
  const whole = hasAllRequests(benchmark);
  const values = whole ? valuesOf(benchmark.requests?.successful ?? []) : {};
  return {
    ...loadOf(strategy),
    requests: { ok: totals?.successful ?? null, failed: totals?.errored ?? null },
    promptTokens: meanOf(metrics.prompt_token_count?.successful),
    outputTokens: meanOf(metrics.output_token_count?.successful),
    outputTokensPerSecond: meanOf(metrics.output_tokens_per_second?.successful),
    requestsPerSecond: meanOf(metrics.requests_per_second?.successful),
    values,
    summaries: whole
      ? {}
      : {
          ...summary('ttft', metrics.time_to_first_token_ms?.successful),
          ...summary('tpot', metrics.inter_token_latency_ms?.successful),
        },
  };
}

function loadOf(strategy: Strategy | undefined): { label: string; open: boolean } {
  const streams = strategy?.type_ === 'synchronous' ? 1 : strategy?.streams;
  if (streams) return { label: streams === 1 ? '1 stream' : `${streams} streams`, open: false };
  if (strategy?.rate) return { label: `${strategy.rate} req/s`, open: true };
  return { label: strategy?.type_ ?? 'unknown load', open: false };
}

/** Of a sample the order in time is lost, and with it how sure a figure is. */
function hasAllRequests({ requests, metrics, request_totals: older }: Benchmark): boolean {
  const kept = requests?.successful?.length ?? 0;
  return kept > 0 && kept >= (metrics.request_totals ?? older)!.successful;
}

function valuesOf(requests: readonly Request[]): ForeignStage['values'] {
  const timed = requests.map(timesOf).sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
  return {
    ttft: timed.flatMap(({ start, first }) => (start && first ? [(first - start) * 1000] : [])),
    // One event alone has no second time to measure by; up to 0.3 only the times tell that there was but one.
    tpot: timed.flatMap(({ first, last, tokens, events }) =>
      first && last && tokens && tokens > 1 && (events ?? (last > first ? 2 : 1)) > 1
        ? [((last - first) * 1000) / (tokens - 1)]
        : [],
    ),
    e2e: timed.flatMap(({ start, last }) => (start && last ? [(last - start) * 1000] : [])),
  };
}

function timesOf(request: Request): Record<'start' | 'first' | 'last' | 'tokens' | 'events', number | null> {
  const timings = request.info?.timings;
  return {
    start: timings?.request_start ?? request.start_time ?? null,
    first: timings?.first_token_iteration ?? timings?.first_iteration ?? request.first_token_time ?? null,
    last: timings?.last_token_iteration ?? timings?.last_iteration ?? request.last_token_time ?? null,
    events: timings?.token_iterations ?? timings?.iterations ?? null,
    tokens:
      request.output_tokens ??
      request.output_metrics?.total_tokens ??
      request.output_metrics?.text_tokens ??
      null,
  };
}

/** An empty distribution is all zeros there: it is no figure. */
function meanOf(distribution: Distribution | undefined): number | null {
  return distribution && distribution.count > 0 ? distribution.mean : null;
}

function summary(
  name: 'ttft' | 'tpot',
  distribution: Distribution | undefined,
): Partial<Record<'ttft' | 'tpot', ForeignSummary>> {
  if (!distribution || distribution.count === 0) return {};
  const { p50, p95, p99 } = distribution.percentiles;
  return { [name]: { n: distribution.count, mean: distribution.mean, p50, p95, p99 } };
}
