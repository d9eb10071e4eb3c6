import type { RunSpec } from '../domain/run/spec.ts';
import type { BenchPrompt } from './contract.ts';
import { endpointOf } from './run/run-endpoint.ts';

/** Fields outside the OpenAI API that this server was found to accept. */
export interface Extras {
  readonly ignoreEos: boolean;
  readonly cachePrompt: boolean;
  readonly streamUsage: boolean;
}

export const allExtras: Extras = { ignoreEos: true, cachePrompt: true, streamUsage: true };
export const noExtras: Extras = { ignoreEos: false, cachePrompt: false, streamUsage: false };

/** The body of one request of the run's endpoint, with `ignore_eos` and `cache_prompt` where the server takes them. */
export function requestBody(spec: RunSpec, model: string, prompt: BenchPrompt, extras: Extras): Buffer {
  const { generates, body } = endpointOf(spec);
  const { stream, temperature } = spec;
  return Buffer.from(
    JSON.stringify({
      ...body({ model, prompt, stream, temperature, streamUsage: extras.streamUsage }),
      ...(generates && spec.ignoreEos && extras.ignoreEos ? { ignore_eos: true } : {}),
      ...(generates && spec.cache === 'cold' && extras.cachePrompt ? { cache_prompt: false } : {}),
    }),
  );
}

/** Headers of every request; the key, if any, only here. */
export function requestHeaders(key: string | null): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
  };
}
