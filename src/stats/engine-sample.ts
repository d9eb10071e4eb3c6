import { EngineSample } from '../domain/run/server-sample.ts';
import { readPrometheusRows } from './prometheus-read.ts';

type Figure = keyof EngineSample;

/**
 * Names of each figure, newest first: vLLM hides a renamed metric for one version before it goes. Compared whole, for
 * some names are the start of others.
 */
const names: { readonly [Name in Figure]: readonly string[] } = {
  running: ['vllm:num_requests_running', 'llamacpp:requests_processing'],
  waiting: ['vllm:num_requests_waiting', 'llamacpp:requests_deferred'],
  kvUse: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc', 'llamacpp:kv_cache_usage_ratio'],
  preemptions: ['vllm:num_preemptions_total'],
  prefixQueries: ['vllm:prefix_cache_queries_total', 'vllm:gpu_prefix_cache_queries_total'],
  prefixHits: ['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total'],
  promptTokens: ['vllm:prompt_tokens_total', 'llamacpp:prompt_tokens_total'],
  cachedTokens: ['vllm:prompt_tokens_cached_total', 'llamacpp:prompt_tokens_cached_total'],
  outputTokens: ['vllm:generation_tokens_total', 'llamacpp:tokens_predicted_total'],
  requests: ['vllm:request_success_total'],
};

/** Of several engine cores behind one server shares are not added up. */
const shares: readonly Figure[] = ['kvUse'];

/** Reads the Prometheus text of vLLM or llama.cpp; null when it has no figure of either. */
export function engineSample(text: string): EngineSample | null {
  const rows = readPrometheusRows(text);
  const sample = Object.fromEntries(
    Object.entries(names).map(([figure, wanted]) => {
      const found = rows.get(wanted.find((name) => rows.has(name)) ?? '') ?? [];
      const sum = found.reduce((all, { value }) => all + value, 0);
      const value = shares.includes(figure as Figure) ? sum / found.length : sum;
      return [figure, found.length === 0 || !Number.isFinite(value) ? null : value];
    }),
  );
  return Object.values(sample).every((value) => value === null) ? null : EngineSample.parse(sample);
}
