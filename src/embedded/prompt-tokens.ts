import type { LoadedEngine } from './load-engine.ts';
import { invalidRequest } from './refusal.ts';

/**
 * Tokens of a prompt that is given as text or as tokens. The begin token goes in front of a text where the model wants
 * one, unless the text (a template's) has it already. Throws Refusal 400 for ids that the model does not have: the
 * engine would read past its tables.
 */
export function promptTokens(engine: LoadedEngine, prompt: string | readonly number[]): number[] {
  if (typeof prompt === 'string') {
    const tokens = engine.tokenize(prompt, true);
    const { beginToken } = engine;
    return beginToken === null || tokens[0] === beginToken ? tokens : [beginToken, ...tokens];
  }
  const { vocabulary } = engine.facts;
  const strange = prompt.find((token) => token < 0 || token >= vocabulary);
  if (strange !== undefined)
    throw invalidRequest(`The prompt has the token ${strange}; the model has ${vocabulary}.`);
  return [...prompt];
}
