import { z } from 'zod';
import type { ForeignLatency, ForeignStage, ForeignSummary } from '../../domain/run/foreign-run.ts';
import type { RunReader } from './contract.ts';

const number = z.number().nullish();

const VllmBenchFile = z.looseObject({
  duration: z.number(),
  completed: z.number(),
  failed: number,
  total_input_tokens: number,
  total_output_tokens: z.number(),
  request_throughput: z.number(),
  output_throughput: number,
  max_concurrency: number,
  request_rate: z.union([z.number(), z.string()]).nullish(),
  date: z.string().nullish(),
  model_id: z.string().nullish(),
  backend: z.string().nullish(),
  endpoint_type: z.string().nullish(),
  base_url: z.string().nullish(),
  output_lens: z.array(z.number()).nullish(),
  ttfts: z.array(z.number()).nullish(),
  itls: z.array(z.array(z.number())).nullish(),
  errors: z.array(z.string().nullable()).nullish(),
});
type VllmBenchFile = z.infer<typeof VllmBenchFile>;

/** What `vllm bench serve --save-result` writes; with `--save-detailed` every request and gap is in it. */
export const vllmBench: RunReader<'vllm-bench'> = {
  kind: 'vllm-bench',
  title: 'result of vllm bench serve (JSON)',
  recognises: (value) => VllmBenchFile.safeParse(value).success,
  read: (value, name) => {
    const file = VllmBenchFile.parse(value);
    const detailed = Boolean(file.ttfts?.length && file.itls?.length && file.output_lens?.length);
    const backend = file.endpoint_type ?? file.backend ?? null;
    return {
      tool: 'vllm bench serve',
      name,
      model: file.model_id ?? null,
      url: file.base_url ?? null,
      startedAt: null,
      api: backend === null ? null : /chat/.test(backend) ? 'chat' : 'completions',
      streamed: true,
      tokensSource: null,
      stages: [stageOf(file, detailed)],
      notes: [
        'it takes the first chunk for the first token, also one with a role and no text: where a server sends such a chunk early, its TTFT is too short and its first gap too long',
        'its TTFT starts after the client’s own queue, before the connection',
        'its rates are over the whole run, ramp and drain included',
        ...(detailed
          ? ['ITL, TPOT and E2E are computed again from its gaps, with berth’s percentiles']
          : ['it kept no single requests (--save-detailed): nothing tells how sure a difference is']),
      ],
    };
  },
};

function stageOf(file: VllmBenchFile, detailed: boolean): ForeignStage {
  const requests = Math.max(1, file.completed);
  return {
    ...loadOf(file),
    requests: { ok: file.completed, failed: file.failed ?? null },
    promptTokens: file.total_input_tokens ? file.total_input_tokens / requests : null,
    outputTokens: file.total_output_tokens / requests,
    outputTokensPerSecond: file.output_throughput ?? file.total_output_tokens / file.duration,
    requestsPerSecond: file.request_throughput,
    values: detailed ? valuesOf(file) : {},
    summaries: detailed ? {} : summariesOf(file),
  };
}

function loadOf({ max_concurrency: streams, request_rate: rate }: VllmBenchFile): {
  label: string;
  open: boolean;
} {
  if (typeof rate === 'number' && Number.isFinite(rate)) return { label: `${rate} req/s`, open: true };
  if (streams) return { label: streams === 1 ? '1 stream' : `${streams} streams`, open: false };
  return { label: 'throughput', open: false };
}

/** Requests that failed have zeros in every list. Seconds become ms. */
function valuesOf(file: VllmBenchFile): ForeignStage['values'] {
  const good = (file.ttfts ?? []).flatMap((first, i) => {
    const gaps = file.itls?.[i] ?? [];
    const tokens = file.output_lens?.[i] ?? 0;
    return file.errors?.[i] || first <= 0
      ? []
      : [{ first, gaps, tokens, rest: gaps.reduce((sum, gap) => sum + gap, 0) }];
  });
  return {
    ttft: good.map(({ first }) => first * 1000),
    itl: good.flatMap(({ gaps }) => gaps.map((gap) => gap * 1000)),
    tpot: good.flatMap(({ rest, tokens }) => (tokens > 1 && rest > 0 ? [(rest * 1000) / (tokens - 1)] : [])),
    e2e: good.map(({ first, rest }) => (first + rest) * 1000),
  };
}

function summariesOf(file: VllmBenchFile): ForeignStage['summaries'] {
  const names = { ttft: 'ttft', tpot: 'tpot', itl: 'itl', e2e: 'e2el' } as const;
  const found = Object.entries(names).flatMap(([ours, theirs]): [ForeignLatency, ForeignSummary][] => {
    function figure(kind: string): number | null {
      const value = file[`${kind}_${theirs}_ms`];
      return typeof value === 'number' ? value : null;
    }
    const p50 = figure('median') ?? figure('p50');
    if (p50 === null) return [];
    const n = ours === 'itl' ? null : file.completed;
    return [
      [ours as ForeignLatency, { n, mean: figure('mean'), p50, p95: figure('p95'), p99: figure('p99') }],
    ];
  });
  return Object.fromEntries(found);
}
