import { z } from 'zod';

const number = z.number().nullish();

const Distribution = z.looseObject({
  mean: z.number(),
  count: z.number(),
  percentiles: z.looseObject({ p50: z.number(), p95: z.number(), p99: z.number() }),
});
export type Distribution = z.infer<typeof Distribution>;

const Metric = z.looseObject({ successful: Distribution }).optional();

const Timings = z.looseObject({
  request_start: number,
  first_token_iteration: number,
  // What the key was called in 0.4.
  first_iteration: number,
  last_token_iteration: number,
  last_iteration: number,
  token_iterations: number,
  iterations: number,
});

/** A request of any layout; the older ones have their times at the top. */
const Request = z.looseObject({
  start_time: number,
  first_token_time: number,
  last_token_time: number,
  prompt_tokens: number,
  output_tokens: number,
  info: z.looseObject({ timings: Timings.nullish() }).nullish(),
  input_metrics: z.looseObject({ text_tokens: number, total_tokens: number }).nullish(),
  output_metrics: z.looseObject({ text_tokens: number, total_tokens: number }).nullish(),
});
export type Request = z.infer<typeof Request>;

const Strategy = z.looseObject({
  type_: z.string(),
  streams: number,
  rate: number,
  max_concurrency: number,
});
export type Strategy = z.infer<typeof Strategy>;

const Totals = z.looseObject({ successful: z.number(), errored: z.number(), incomplete: z.number() });

const Benchmark = z.looseObject({
  args: z.looseObject({ strategy: Strategy }).nullish(),
  config: z.looseObject({ strategy: Strategy, backend: z.looseObject({}).nullish() }).nullish(),
  worker: z
    .looseObject({ backend_target: z.string().nullish(), backend_model: z.string().nullish() })
    .nullish(),
  request_totals: Totals.nullish(),
  start_time: number,
  metrics: z.looseObject({
    request_totals: Totals.nullish(),
    request_latency: Metric,
    prompt_token_count: Metric,
    output_token_count: Metric,
    time_to_first_token_ms: Metric,
    inter_token_latency_ms: Metric,
    requests_per_second: Metric,
    output_tokens_per_second: Metric,
  }),
  requests: z.looseObject({ successful: z.array(Request).nullish() }).nullish(),
});
export type Benchmark = z.infer<typeof Benchmark>;

const Backend = z.looseObject({
  target: z.string().nullish(),
  model: z.string().nullish(),
  request_format: z.string().nullish(),
  stream: z.boolean().nullish(),
});

export const GuideLlmFile = z.looseObject({
  metadata: z
    .looseObject({ version: z.number().optional(), guidellm_version: z.string().optional() })
    .optional(),
  args: z
    .looseObject({
      target: z.string().nullish(),
      model: z.string().nullish(),
      request_type: z.string().nullish(),
    })
    .optional(),
  config: z.looseObject({ spec: z.looseObject({ backend: Backend.optional() }).optional() }).optional(),
  benchmarks: z.array(Benchmark).min(1),
});
export type GuideLlmFile = z.infer<typeof GuideLlmFile>;

/** What is known of which layout it is, from newest to oldest. */
export function layoutOf(file: GuideLlmFile): { tool: string; old: boolean } {
  const { metadata } = file;
  if (metadata?.version === 2) return { tool: `GuideLLM ${metadata.guidellm_version ?? '0.7'}`, old: false };
  if (metadata) return { tool: `GuideLLM ${metadata.guidellm_version ?? '0.5 or 0.6'}`, old: false };
  if (file.args) return { tool: 'GuideLLM 0.4', old: false };
  return { tool: 'GuideLLM up to 0.3', old: true };
}
