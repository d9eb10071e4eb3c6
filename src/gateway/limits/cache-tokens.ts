import type { Endpoint } from '../../domain/endpoints.ts';
import type { ScannedBody } from '../front/request-body.ts';
import { estimate } from './estimate.ts';
import { answerLength } from './memory.ts';
import type { LimitsMemory } from './memory.ts';

/** What a request will probably hold of its engine's cache. */
export interface CacheTokens {
  /** Prompt and answer; 0 where nobody counts that. */
  readonly tokens: number;
  /** The answer alone; Infinity where nobody counts that. */
  readonly answer: number;
}

export const uncounted: CacheTokens = { tokens: 0, answer: Infinity };

/**
 * The prompt, and an answer that is seldom as long as it may be; one that is longer is corrected as it comes. Of several answers one is
 * counted: an engine whose cache is full has the others wait, which may hold up nobody else here.
 */
export function cacheTokens(
  memory: LimitsMemory,
  model: string,
  {
    countedAs,
    body,
  }: {
    readonly countedAs: Endpoint;
    readonly body: Pick<ScannedBody, 'bytes' | 'maxTokens'> | null;
  },
): CacheTokens {
  if (!body) return uncounted;
  const usual = answerLength(memory, model).tokens;
  const maxTokens = Math.min(body.maxTokens ?? usual, usual);
  const asked = { endpoint: countedAs, body: body.bytes, maxTokens, answers: 1 };
  const { input, output } = estimate(asked, usual);
  return { tokens: input + output, answer: output };
}
