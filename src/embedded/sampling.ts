import { randomInt } from 'node:crypto';
import type { Sampling } from './decoder.ts';
import type { ChatRequest, CompletionRequest } from './requests.ts';

/** Defaults of llama-server, so that a request means the same on both. */
export const samplingDefaults = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatWindow: 64,
} as const;

/** `endTokens` are forbidden when the request ignores them. Without a seed a random one is taken. */
export function samplingOf(request: CompletionRequest | ChatRequest, endTokens: readonly number[]): Sampling {
  const asked = request.seed;
  return {
    temperature: Math.max(0, request.temperature ?? samplingDefaults.temperature),
    topK: request.top_k ?? samplingDefaults.topK,
    topP: request.top_p ?? samplingDefaults.topP,
    minP: request.min_p ?? samplingDefaults.minP,
    seed: asked === undefined || asked < 0 ? randomInt(2 ** 32) : asked % 2 ** 32,
    penalties: penaltiesOf(request),
    bias: biasOf(request, endTokens),
  };
}

function penaltiesOf(request: CompletionRequest | ChatRequest): Sampling['penalties'] {
  const repeat = request.repeat_penalty ?? 1;
  const presence = request.presence_penalty ?? 0;
  const frequency = request.frequency_penalty ?? 0;
  const window = request.repeat_last_n ?? samplingDefaults.repeatWindow;
  const neutral = repeat === 1 && presence === 0 && frequency === 0;
  return neutral || window === 0 ? null : { repeat, presence, frequency, window: window < 0 ? 4096 : window };
}

function biasOf(
  request: CompletionRequest | ChatRequest,
  endTokens: readonly number[],
): ReadonlyMap<number, number> {
  const bias = new Map<number, number>();
  for (const [token, value] of Object.entries(request.logit_bias ?? {})) bias.set(Number(token), value);
  if (request.ignore_eos) for (const token of endTokens) bias.set(token, -Infinity);
  return bias;
}
