import { attachmentsOf } from './attachments.ts';

/** Tokens that a request will probably take, before the engine has counted them. */
export interface Estimate {
  readonly input: number;
  readonly output: number;
}

const bytesPerToken = 4;
/** Images and sounds travel as base64, whose length says nothing about tokens: each counts as this many. */
const tokensPerAttachment = 1000;

/** These count and write out tokens, and have the model compute none. */
const free = new Set(['count_tokens', 'tokenize', 'detokenize', 'apply_template']);
const generating = new Set(['chat', 'text_completion']);
/** More than any engine writes. Sums of it stay exact, so that what was charged is given back to the token. */
const mostOutput = 2 ** 31;

/** `usualAnswer`: for requests that do not bound theirs. */
export function estimate(
  request: {
    endpoint: { operation: string; body: 'json' | 'form' };
    body: Buffer;
    maxTokens: number | null;
    /** How many answers are asked for, each of that length. */
    answers: number;
  },
  usualAnswer: number,
): Estimate {
  const { endpoint, body, maxTokens, answers } = request;
  const generates = generating.has(endpoint.operation);
  if (!generates && free.has(endpoint.operation)) return { input: 0, output: 0 };
  const output = generates ? Math.min((maxTokens ?? usualAnswer) * answers, mostOutput) : 0;
  return { input: endpoint.body === 'form' ? tokensPerAttachment : promptTokens(body), output };
}

/** Of a request whose engine does not tell. */
export function estimatedPrompt(
  endpoint: { operation: string; body: 'json' | 'form' },
  body: Buffer,
): number {
  return estimate({ endpoint, body, maxTokens: 0, answers: 1 }, 0).input;
}

/** About four bytes of JSON make a token; attachments are counted by the piece. */
function promptTokens(body: Buffer): number {
  const { bytes, count } = attachmentsOf(body);
  return Math.ceil((body.length - bytes) / bytesPerToken) + count * tokensPerAttachment;
}

const firstGuess = 256;
const share = 0.8;
/** How far one answer moves the guess, as a share of it. */
const step = 0.05;

/**
 * Length of answer that four in five stay below, followed as answers come: each moves it up or down by a small step, up
 * as often as one in five is longer (stochastic approximation of a quantile). For requests that name no `max_tokens`.
 */
export class AnswerLength {
  #tokens = firstGuess;

  get tokens(): number {
    return Math.ceil(this.#tokens);
  }

  observe(tokens: number): void {
    const reach = Math.max(1, this.#tokens * step);
    const next = this.#tokens + reach * (tokens > this.#tokens ? share : share - 1);
    this.#tokens = Math.max(1, next);
  }
}
