import { randomBytes } from 'node:crypto';
import type { GenerationEnd } from './generation.ts';

/** What every object of one answer carries. */
export interface Identity {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
}

export function newId(): string {
  return `chatcmpl-${randomBytes(24).toString('base64url')}`;
}

export interface Usage {
  readonly completion_tokens: number;
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** Sums the output over all choices; the choices of one prompt share it, so it counts once. */
export function usageOf(ends: readonly GenerationEnd[], choicesPerPrompt: number): Usage {
  const output = ends.reduce((sum, end) => sum + end.outputTokens, 0);
  const firsts = ends.filter((_, i) => i % choicesPerPrompt === 0);
  const prompt = firsts.reduce((sum, end) => sum + end.promptTokens, 0);
  return {
    completion_tokens: output,
    prompt_tokens: prompt,
    total_tokens: output + prompt,
    prompt_tokens_details: { cached_tokens: firsts.reduce((sum, end) => sum + end.cachedTokens, 0) },
  };
}

/** The fields of llama-server; `predicted_ms` begins with the first token, so one token has no rate. */
export function timingsOf(end: GenerationEnd): Record<string, number> {
  const evaluated = end.promptTokens - end.cachedTokens;
  const gaps = Math.max(0, end.outputTokens - 1);
  return {
    cache_n: end.cachedTokens,
    prompt_n: evaluated,
    prompt_ms: end.promptMs,
    prompt_per_token_ms: ratio(end.promptMs, evaluated),
    prompt_per_second: ratio(evaluated * 1000, end.promptMs),
    predicted_n: end.outputTokens,
    predicted_ms: end.outputMs,
    predicted_per_token_ms: ratio(end.outputMs, gaps),
    predicted_per_second: ratio(gaps * 1000, end.outputMs),
  };
}

function ratio(value: number, per: number): number {
  return per > 0 ? value / per : 0;
}

/** How chat and text completions differ on the wire. */
export interface Shape {
  readonly object: string;
  readonly chunkObject: string;
  readonly choice: (index: number, text: string, finish: string) => unknown;
  /** A chunk in front of the first text of a choice, if the shape has one. */
  readonly opening: ((index: number) => unknown) | null;
  readonly piece: (index: number, text: string) => unknown;
  readonly closing: (index: number, finish: string) => unknown;
}

export const chatShape: Shape = {
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  choice: (index, text, finish) => ({
    finish_reason: finish,
    index,
    message: { role: 'assistant', content: text },
  }),
  opening: (index) => ({ finish_reason: null, index, delta: { role: 'assistant', content: null } }),
  piece: (index, text) => ({ finish_reason: null, index, delta: { content: text } }),
  closing: (index, finish) => ({ finish_reason: finish, index, delta: {} }),
};

export const textShape: Shape = {
  object: 'text_completion',
  chunkObject: 'text_completion',
  choice: (index, text, finish) => ({ text, index, logprobs: null, finish_reason: finish }),
  opening: null,
  piece: (index, text) => ({ text, index, logprobs: null, finish_reason: null }),
  closing: (index, finish) => ({ text: '', index, logprobs: null, finish_reason: finish }),
};

/** One event of a stream. */
export function chunkEvent(
  shape: Shape,
  identity: Identity,
  choices: readonly unknown[],
  extra: Record<string, unknown> = {},
): string {
  const { created, id, model, fingerprint } = identity;
  const chunk = {
    choices,
    created,
    id,
    model,
    system_fingerprint: fingerprint,
    object: shape.chunkObject,
    ...extra,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
