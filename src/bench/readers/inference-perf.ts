import { z } from 'zod';
import type { ForeignStage, ForeignSummary } from '../../domain/run/foreign-run.ts';
import type { RunReader } from './contract.ts';

const number = z.number().nullish();

const Summary = z
  .looseObject({ mean: number, median: number, p50: number, p95: number, p99: number })
  .nullish();
type Summary = z.infer<typeof Summary>;

const InferencePerfFile = z.looseObject({
  load_summary: z.looseObject({ count: number, requested_rate: number, achieved_rate: number }),
  successes: z.looseObject({
    count: z.number(),
    latency: z.looseObject({
      request_latency: Summary,
      time_to_first_token: Summary,
      time_per_output_token: Summary,
    }),
    throughput: z.looseObject({ output_tokens_per_sec: number, requests_per_sec: number }).nullish(),
    prompt_len: Summary,
    output_len: Summary,
  }),
  failures: z.looseObject({ count: number }).nullish(),
});
type InferencePerfFile = z.infer<typeof InferencePerfFile>;

/** `summary_lifecycle_metrics.json` (and `stage_N_…`) of inference-perf: sums of a stage, in seconds. */
export const inferencePerf: RunReader<'inference-perf'> = {
  kind: 'inference-perf',
  title: 'summary_lifecycle_metrics.json of inference-perf',
  recognises: (value) => InferencePerfFile.safeParse(value).success,
  read: (value, name) => {
    const file = InferencePerfFile.parse(value);
    const streamed = Boolean(file.successes.latency.time_to_first_token);
    return {
      tool: 'inference-perf',
      name,
      model: null,
      url: null,
      startedAt: null,
      api: null,
      streamed: streamed ? true : null,
      tokensSource: 'tokenize',
      stages: [stageOf(file)],
      notes: [
        'its inter_token_latency has a zero for every further token of a chunk and is left out',
        'its output tokens are counted from the text by a tokenizer of the client',
        'its file has no single requests: percentiles are its own, and nothing tells how sure a difference is',
      ],
    };
  },
};

function stageOf({ successes, failures, load_summary: load }: InferencePerfFile): ForeignStage {
  const { latency, throughput } = successes;
  const rate = load.requested_rate;
  return {
    label: rate ? `${rate} req/s` : 'unknown load',
    open: Boolean(rate),
    requests: { ok: successes.count, failed: failures?.count ?? null },
    promptTokens: successes.prompt_len?.mean ?? null,
    outputTokens: successes.output_len?.mean ?? null,
    outputTokensPerSecond: throughput?.output_tokens_per_sec ?? null,
    requestsPerSecond: throughput?.requests_per_sec ?? null,
    values: {},
    summaries: {
      ...summary('ttft', latency.time_to_first_token, successes.count),
      ...summary('tpot', latency.time_per_output_token, successes.count),
      ...summary('e2e', latency.request_latency, successes.count),
    },
  };
}

function summary(
  name: 'ttft' | 'tpot' | 'e2e',
  found: Summary,
  n: number,
): Partial<Record<'ttft' | 'tpot' | 'e2e', ForeignSummary>> {
  if (!found) return {};
  function ms(value: number | null | undefined): number | null {
    return value === null || value === undefined ? null : value * 1000;
  }
  const { mean, median, p50, p95, p99 } = found;
  return { [name]: { n, mean: ms(mean), p50: ms(p50 ?? median), p95: ms(p95), p99: ms(p99) } };
}
