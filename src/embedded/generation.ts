import type { Sampler, Sampling } from './decoder.ts';
import type { Slot } from './slots.ts';
import type { TextStream } from './text-stream.ts';

/** One answer to one prompt; a request with n choices is n of them. */
export interface GenerationRequest {
  readonly prompt: readonly number[];
  readonly sampling: Sampling;
  /** Infinity: until the context is full. */
  readonly maxTokens: number;
  readonly stops: readonly string[];
  /** Goes on after an end token, which then stands for no text. */
  readonly ignoreEnd: boolean;
  /** A slot's kept tokens may be used. */
  readonly reuse: boolean;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
  /** Called exactly once, also after an abort; nothing is called after it. */
  readonly onEnd: (end: GenerationEnd) => void;
}

export type Finish = 'stop' | 'length' | 'aborted';

export interface GenerationEnd {
  /** `error`: the evaluation failed; what was sent so far stands. */
  readonly finish: Finish | 'error';
  readonly reason?: string;
  /** The stop string that ended the answer. */
  readonly stop: string | null;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** Prompt evaluation, from the slot to the first token. */
  readonly promptMs: number;
  /** From the first to the last token. */
  readonly outputMs: number;
}

/** A request that has a slot. */
export interface Generation {
  readonly id: number;
  readonly request: GenerationRequest;
  readonly slot: Slot;
  readonly sampler: Sampler;
  readonly text: TextStream;
  readonly cachedTokens: number;
  readonly arrivedAt: number;
  readonly startedAt: number;
  /** Tokens of the prompt, and then of the answer, that are evaluated. */
  position: number;
  /** The token drawn last, not yet evaluated; null while the prompt is. */
  next: number | null;
  /** Drawn, not yet turned into text. */
  undelivered: number | null;
  outputTokens: number;
  firstAt: number;
  lastAt: number;
  /** Set once; the end is told when the text is out. */
  finish: Finish | null;
  ended: boolean;
}

/**
 * How many tokens each generation adds to the next step; 0: it sits this one out. Running answers come first, then
 * prompts in order of arrival. When others are being answered a long prompt goes in by chunks, so that their next
 * token does not wait for all of it.
 */
export function planStep(
  generations: readonly Pick<Generation, 'id' | 'next' | 'position' | 'request'>[],
  limits: { batch: number; chunk: number },
): number[] {
  const running = generations.filter((generation) => generation.next !== null).length;
  let room = running > 0 ? Math.min(limits.chunk, limits.batch - running) : limits.batch;
  const prompts = generations.filter((generation) => generation.next === null);
  const shares = new Map<number, number>();
  for (const { id, request, position } of prompts.toSorted((a, b) => a.id - b.id)) {
    const share = Math.min(request.prompt.length - position, Math.max(room, 0));
    room -= share;
    shares.set(id, share);
  }
  return generations.map(({ id }) => shares.get(id) ?? 1);
}

export function endOf(generation: Generation, finish: Finish | 'error', reason?: string): GenerationEnd {
  const { firstAt, lastAt, startedAt, outputTokens } = generation;
  return {
    finish,
    ...(reason !== undefined && { reason }),
    stop: generation.text.met(),
    promptTokens: generation.request.prompt.length,
    cachedTokens: generation.cachedTokens,
    outputTokens,
    promptMs: outputTokens > 0 ? firstAt - startedAt : 0,
    outputMs: outputTokens > 0 ? lastAt - firstAt : 0,
  };
}
