import type { z } from 'zod';
import type { PromptUse } from '../../domain/prompt-use.ts';
import type { Exchange } from '../../io/timed-request.ts';
import type { BenchPrompt } from '../contract.ts';

/** Counts as a server gives them; what it does not say is absent. */
export interface AnswerUsage {
  readonly prompt_tokens?: number | null | undefined;
  readonly completion_tokens?: number | null | undefined;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number | null | undefined } | null | undefined;
  readonly completion_tokens_details?:
    | { readonly reasoning_tokens?: number | null | undefined }
    | null
    | undefined;
}

/** The server's own clock (llama.cpp). */
export interface AnswerTimings {
  readonly prompt_n?: number | null | undefined;
  readonly prompt_ms?: number | null | undefined;
  readonly predicted_n?: number | null | undefined;
  readonly predicted_ms?: number | null | undefined;
  readonly cache_n?: number | null | undefined;
}

/** An answer as the server gave it: stamps of its token-bearing events, its own counts, its text. */
export interface Answer {
  readonly id: string | null;
  /** Times of the events that carried content, reasoning or a tool call. */
  readonly tokenTimes: readonly number[];
  readonly firstContent: number | null;
  /** How many of these events carried reasoning and no content. */
  readonly reasoningEvents: number;
  readonly finish: string | null;
  /** The answer said that it was over: [DONE], a finish reason, or all of a body that is no stream. */
  readonly complete: boolean;
  readonly usage: AnswerUsage | null;
  readonly timings: AnswerTimings | null;
  readonly text: string;
  /** Texts that it has an embedding or a rank for; null where it makes tokens instead. */
  readonly inputs: number | null;
  /** An error inside an answer that began well, or bytes that are not the protocol. */
  readonly fault: { readonly kind: 'stream-error' | 'malformed'; readonly message: string } | null;
}

export interface Asked<Options> {
  readonly options: Options;
  readonly model: string;
  readonly prompt: BenchPrompt;
  readonly stream: boolean;
  /** The server takes `stream_options`. */
  readonly streamUsage: boolean;
  readonly temperature: number | null;
}

/** An API that a benchmark can ask: where, with what body, and what its answer says. Pure. */
export interface BenchEndpoint<
  Kind extends string = string,
  Options extends { kind: Kind } = { kind: Kind },
> {
  readonly kind: Kind;
  readonly title: string;
  readonly path: string;
  readonly options: z.ZodType<Options>;
  /** It makes tokens: what does not has no TTFT, no ITL and no output tokens, and is never streamed. */
  readonly generates: boolean;
  /** What prompts of a file it can be asked with; absent: those to be answered. */
  readonly takes?: readonly PromptUse[];
  /** Texts of one request, where it takes several. */
  readonly texts?: (options: Options) => number;
  /** Of how many texts the answer must have something; absent: it makes tokens instead. */
  readonly inputs?: (prompt: BenchPrompt) => number;
  /** Prompt tokens in its usage are those of the texts, each once; where they are not, none are asked for. */
  readonly countsTexts: boolean;
  /** Fewest output tokens that servers allow. */
  readonly leastOutput: number;
  readonly body: (asked: Asked<Options>) => Record<string, unknown>;
  readonly read: (exchange: Exchange, keepText: boolean) => Answer;
}
