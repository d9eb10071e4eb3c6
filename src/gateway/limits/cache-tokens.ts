import type { Call } from '../front/call.ts';
import { estimate } from './estimate.ts';
import { answerLength } from './memory.ts';
import type { LimitsMemory } from './memory.ts';

/** What a request will probably hold of its engine's cache: the prompt, and an answer that is seldom as long as it may be. */
export function cacheTokens(
  memory: LimitsMemory,
  model: string,
  { endpoint, body }: Pick<Call, 'endpoint' | 'body'>,
): number {
  if (!body) return 0;
  const usual = answerLength(memory, model).tokens;
  const maxTokens = Math.min(body.maxTokens ?? usual, usual);
  const { input, output } = estimate({ endpoint, body: body.bytes, maxTokens }, usual);
  return input + output;
}
