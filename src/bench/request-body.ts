import type { RunSpec } from '../domain/run/spec.ts';
import type { BenchPrompt } from './contract.ts';

/** Fields outside the OpenAI API that this server was found to accept. */
export interface Extras {
  readonly ignoreEos: boolean;
  readonly cachePrompt: boolean;
  readonly streamUsage: boolean;
}

export const allExtras: Extras = { ignoreEos: true, cachePrompt: true, streamUsage: true };
export const noExtras: Extras = { ignoreEos: false, cachePrompt: false, streamUsage: false };

export function requestPath(api: RunSpec['target']['api']): string {
  return api === 'chat' ? '/v1/chat/completions' : '/v1/completions';
}

/** The body of one request in the OpenAI API, with `ignore_eos` and `cache_prompt` where the server takes them. */
export function requestBody(spec: RunSpec, model: string, prompt: BenchPrompt, extras: Extras): Buffer {
  const { content } = prompt;
  const asked =
    spec.target.api === 'chat'
      ? { messages: typeof content === 'string' ? [{ role: 'user', content }] : content }
      : {
          prompt:
            typeof content === 'string'
              ? content
              : content.map((message) => String(message.content)).join('\n'),
        };
  return Buffer.from(
    JSON.stringify({
      model,
      ...asked,
      ...(prompt.outputTokens === null ? {} : { max_tokens: prompt.outputTokens }),
      ...(spec.temperature === null ? {} : { temperature: spec.temperature }),
      stream: spec.stream,
      ...(spec.stream && extras.streamUsage ? { stream_options: { include_usage: true } } : {}),
      ...(spec.ignoreEos && extras.ignoreEos ? { ignore_eos: true } : {}),
      ...(spec.cache === 'cold' && extras.cachePrompt ? { cache_prompt: false } : {}),
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
