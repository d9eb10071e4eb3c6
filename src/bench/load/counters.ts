import { readPrometheus } from '../../stats/prometheus-read.ts';
import type { World } from '../../io/world.ts';
import type { CounterReading } from '../analyse/engine-counters.ts';
import { requestHeaders } from '../request-body.ts';

/** Names of the counters of the engines that have them. */
const families = [
  {
    // llama-server counts the prompt tokens that it processed: what came from the cache is not among them.
    prompt: 'llamacpp:prompt_tokens_total',
    output: 'llamacpp:tokens_predicted_total',
    requests: null,
    withoutCached: true,
  },
  {
    prompt: 'vllm:prompt_tokens_total',
    output: 'vllm:generation_tokens_total',
    requests: 'vllm:request_success_total',
    withoutCached: false,
  },
] as const;

/** Reads an engine's counters from its /metrics; null when it has none that are known. */
export async function readCounters(
  world: World,
  baseUrl: string,
  key: string | null,
): Promise<CounterReading | null> {
  const reply = await world.http
    .request(`${baseUrl}/metrics`, { headers: requestHeaders(key), timeoutMs: 5000 })
    .catch(() => null);
  if (reply?.status !== 200) return null;
  const values = readPrometheus(reply.text);
  for (const family of families) {
    if (!values.has(family.prompt) && !values.has(family.output)) continue;
    return {
      promptTokens: values.get(family.prompt) ?? null,
      outputTokens: values.get(family.output) ?? null,
      requests: family.requests === null ? null : (values.get(family.requests) ?? null),
      withoutCached: family.withoutCached,
    };
  }
  return null;
}
