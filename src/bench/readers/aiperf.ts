import { z } from 'zod';
import type { ForeignStage, ForeignSummary } from '../../domain/run/foreign-run.ts';
import type { RunReader } from './contract.ts';

const number = z.number().nullish();

const Metric = z.looseObject({
  unit: z.string(),
  avg: number,
  p50: number,
  p95: number,
  p99: number,
  count: number,
});
type Metric = z.infer<typeof Metric>;

const AiperfFile = z.looseObject({
  schema_version: z.string().nullish(),
  aiperf_version: z.string().nullish(),
  request_latency: Metric,
  request_throughput: Metric.nullish(),
  request_count: Metric.nullish(),
  error_request_count: Metric.nullish(),
  time_to_first_token: Metric.nullish(),
  inter_token_latency: Metric.nullish(),
  output_token_throughput: Metric.nullish(),
  output_sequence_length: Metric.nullish(),
  input_sequence_length: Metric.nullish(),
  start_time: z.string().nullish(),
  input_config: z.unknown().optional(),
});
type AiperfFile = z.infer<typeof AiperfFile>;

/** `profile_export_aiperf.json` of AIPerf: sums of a run, no single requests. */
export const aiperf: RunReader<'aiperf'> = {
  kind: 'aiperf',
  title: 'profile_export_aiperf.json of AIPerf',
  recognises: (value) => AiperfFile.safeParse(value).success,
  read: (value, name) => {
    const file = AiperfFile.parse(value);
    return {
      tool: `AIPerf ${file.aiperf_version ?? ''}`.trim(),
      name,
      model: text(file.input_config, 'model_names') ?? text(find(file.input_config, 'models'), 'name'),
      url: text(file.input_config, 'urls') ?? text(file.input_config, 'url'),
      startedAt: file.start_time ?? null,
      api: text(file.input_config, 'type'),
      streamed: file.time_to_first_token ? true : null,
      // Counted by the client from the text, unless it was told to take the server's usage.
      tokensSource: find(file.input_config, 'use_server_token_count') === true ? 'usage' : 'tokenize',
      stages: [stageOf(file)],
      notes: [
        'its inter_token_latency is (latency − TTFT) / (tokens − 1) of each request: it stands as TPOT, and there is no ITL',
        'its TTFT starts when its worker sends, before the connection',
        'its file has no single requests: percentiles are its own, and nothing tells how sure a difference is',
      ],
    };
  },
};

function stageOf(file: AiperfFile): ForeignStage {
  // "phases" in newer versions, "loadgen" in older ones.
  const load = find(file.input_config, 'phases') ?? find(file.input_config, 'loadgen');
  const streams = find(load, 'concurrency');
  const rate = find(load, 'request_rate') ?? find(load, 'rate');
  return {
    label:
      typeof rate === 'number'
        ? `${rate} req/s`
        : typeof streams === 'number'
          ? streams === 1
            ? '1 stream'
            : `${streams} streams`
          : 'unknown load',
    open: typeof rate === 'number',
    requests: { ok: file.request_count?.avg ?? null, failed: file.error_request_count?.avg ?? null },
    promptTokens: file.input_sequence_length?.avg ?? null,
    outputTokens: file.output_sequence_length?.avg ?? null,
    outputTokensPerSecond: file.output_token_throughput?.avg ?? null,
    requestsPerSecond: file.request_throughput?.avg ?? null,
    values: {},
    summaries: {
      ...summary('ttft', file.time_to_first_token),
      ...summary('tpot', file.inter_token_latency),
      ...summary('e2e', file.request_latency),
    },
  };
}

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  sec: 1000,
};

/** In ms, whatever its unit; one that is not known is left out rather than guessed. */
function summary(
  name: 'ttft' | 'tpot' | 'e2e',
  metric: Metric | null | undefined,
): Partial<Record<'ttft' | 'tpot' | 'e2e', ForeignSummary>> {
  const scale = metric && milliseconds[metric.unit];
  if (!scale) return {};
  function ms(value: number | null | undefined): number | null {
    return value === null || value === undefined ? null : value * (scale as number);
  }
  const { avg, p50, p95, p99, count } = metric;
  return { [name]: { n: count ?? null, mean: ms(avg), p50: ms(p50), p95: ms(p95), p99: ms(p99) } };
}

/** A key at any depth: the shape of its configuration changes from version to version. */
function find(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (key in value) return (value as Record<string, unknown>)[key];
  for (const below of Object.values(value)) {
    const found = find(below, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function text(value: unknown, key: string): string | null {
  const found = find(value, key);
  const one: unknown = Array.isArray(found) ? found[0] : found;
  return typeof one === 'string' ? one : null;
}
