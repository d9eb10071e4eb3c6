import type { RequestRecord } from '../../domain/run/record.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import type { FilePublisher } from '../contract.ts';
import { statuses } from './distribution.ts';
import { loadOf, requestFormat, sizesOf } from './load-shape.ts';
import { metricsOf } from './metrics.ts';
import { request2 } from './request-2.ts';
import { countsOf, spanOf, timedRequests } from './requests.ts';
import { scheduler } from './scheduler.ts';

/** GuideLLM's own report file, second layout: 0.7 and 0.8 load it, and what reads theirs reads this. */
export const guidellm: FilePublisher<'guidellm'> = {
  kind: 'guidellm',
  title: 'the report file of GuideLLM 0.7 and 0.8 (layout 2)',
  fileName: 'guidellm.json',
  contentType: 'application/json',
  kept: false,
  render: async (report, readRecords) => {
    const records = await readRecords();
    return `${JSON.stringify({
      metadata: {
        version: 2,
        guidellm_version: `written by berth ${report.environment.berth}`,
        python_version: 'none',
        platform: report.environment.os,
      },
      config: { metadata: { labels: labelsOf(report) }, spec: specOf(report), benchmarks: [] },
      benchmarks: report.stages.map((stage) => benchmarkOf(report, stage, records)),
    })}\n`;
  },
};

/** What a reader of the file must know and GuideLLM has no key for. */
function labelsOf(report: Report): Record<string, string> {
  return {
    'berth.run': report.id,
    'berth.name': report.name,
    'berth.model': report.server.model,
    'berth.client_limited': String(report.clientLimited),
  };
}

const noWarmup = { percent: null, value: null, mode: 'prefer_duration' } as const;

function specOf(report: Report): unknown {
  const { spec } = report;
  const { seconds, requests } = spec.limits;
  return {
    backend: backendOf(report),
    profile: profileOf(report, report.stages),
    constraints: [
      ...(seconds === null ? [] : [{ kind: 'max_duration', seconds }]),
      ...(requests === null ? [] : [{ kind: 'max_requests', count: requests }]),
    ],
    data: [{ kind: 'synthetic_text', ...sizesOf(report) }],
    seed: { kind: 'static', value: spec.seed },
  };
}

function backendOf(report: Report): Record<string, unknown> {
  return {
    kind: 'openai_http',
    target: report.spec.target.url,
    model: report.server.model,
    request_format: requestFormat(report),
    stream: report.spec.stream,
  };
}

function profileOf(report: Report, stages: readonly StageReport[]): Record<string, unknown> {
  const loads = stages.map((stage) => loadOf(report, stage));
  const rates = loads.flatMap(({ rate }) => rate ?? []);
  if (rates.length > 0) return { kind: loads[0]?.kind === 'constant' ? 'constant' : 'poisson', rate: rates };
  const streams = loads.flatMap(({ streams: each }) => each ?? []);
  return loads.some(({ kind }) => kind === 'concurrent')
    ? { kind: 'concurrent', streams }
    : { kind: 'synchronous' };
}

function benchmarkOf(report: Report, stage: StageReport, records: readonly RequestRecord[]): unknown {
  const requests = timedRequests(report, stage, records);
  const span = spanOf(report, requests);
  const counts = countsOf(requests);
  const { kind, streams, rate } = loadOf(report, stage);
  const strategy = {
    type_: kind,
    worker_count: 1,
    max_concurrency: stage.strategy.kind === 'open' ? stage.strategy.maxInFlight : stage.strategy.streams,
    ...(kind === 'concurrent' ? { streams, rampup_duration: 0 } : {}),
    ...(rate === null ? {} : { rate }),
    ...(kind === 'poisson' ? { random_seed: report.spec.seed } : {}),
  };
  return {
    type_: 'generative_benchmark',
    config: {
      id_: `${report.id}-${stage.index}`,
      run_id: report.id,
      run_index: stage.index,
      strategy,
      constraints: {},
      sample_size: null,
      warmup: noWarmup,
      cooldown: noWarmup,
      prefer_response_metrics: true,
      profile: profileOf(report, [stage]),
      requests: { kind: 'synthetic_text', ...sizesOf(report) },
      backend: backendOf(report),
      environment: { berth: report.environment.berth },
    },
    ...scheduler(requests, counts, span),
    metrics: { request_totals: counts, ...metricsOf(requests, span, '2'), ...noModalities },
    requests: {
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          requests.filter((request) => request.status === status).map(request2),
        ]),
      ),
      total: null,
    },
    start_time: span.start,
    end_time: span.end,
    duration: span.end - span.start,
    warmup_duration: 0,
    cooldown_duration: 0,
    x_berth: { stage, definitions: report.definitions },
  };
}

/** The counts of what is neither asked for nor answered here; required keys all the same. */
const noModalities = {
  text: { tokens: null, words: null, characters: null },
  image: { tokens: null, images: null, pixels: null, bytes: null },
  video: { tokens: null, frames: null, seconds: null, bytes: null },
  audio: { tokens: null, samples: null, seconds: null, bytes: null },
  tool_call: { tokens: null, mixed_tokens: null, count: null },
} as const;
