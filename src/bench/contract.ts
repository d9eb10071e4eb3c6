import type { z } from 'zod';
import type { Strategy } from '../domain/load-shape.ts';
import type { CacheState } from '../domain/run/cache.ts';
import type { Knee } from '../domain/run/knee.ts';
import type { RunSpec, Slo } from '../domain/run/spec.ts';
import type { TokenSource } from '../domain/run/record.ts';
import type { StageReport } from '../domain/run/stage-report.ts';
import type { ByteSource } from '../io/byte-file.ts';
import type { StopReason } from '../domain/run/stop-reason.ts';
import type { PromptUse } from '../domain/prompt-use.ts';

/**
 * The shape of a load: from the stages so far it says what the next stage does, or null when the run is over.
 * Pure; a sweep reads the earlier reports, a fixed list only counts them.
 */
export interface Profile<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  readonly next: (options: Options, earlier: readonly StageReport[]) => Strategy | null;
  /** Its stages come to an end by themselves, so that no time is set where none is asked for. */
  readonly ends?: boolean;
  /** The prompts that belong to it; then no others can be asked for. */
  readonly data?: (options: Options) => { kind: string };
  /** What a run of it has where nothing else is said. */
  readonly defaults?: Partial<Pick<RunSpec, 'warmup' | 'cache'>>;
  /** All its stages, where they are known beforehand and pass their slots on: each begins as the one before admits no more. */
  readonly list?: (options: Options) => readonly Strategy[];
  /** Ends of a stage that are no end of the run: it says by itself what follows. */
  readonly goesOnAfter?: readonly StopReason[];
  /** What the rest of a run lacks for it, as a sentence; null when nothing. */
  readonly lacks?: (options: Options, run: { slo: Slo | null; data: { kind: string } }) => string | null;
  /** What the stages together say, of a profile that looks for something. */
  readonly conclude?: (options: Options, stages: readonly StageReport[]) => Knee;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: unknown;
}

/** What one request asks. Messages are for chat alone; a plain text serves both APIs. */
export interface BenchPrompt {
  readonly content: string | readonly ChatMessage[];
  /** Texts for an API that takes several, in place of the content. */
  readonly texts?: readonly string[];
  /** What texts are ranked by. */
  readonly query?: string;
  readonly promptTokens: { readonly tokens: number | null; readonly source: TokenSource | null };
  /** Output tokens to ask for; null leaves it to the server. */
  readonly outputTokens: number | null;
}

/** What a dataset may ask the server under test before the run. */
export interface PromptServer {
  /** Counts a text by the server's own tokenizer, or by that of a file, without what a template adds; null when it offers none. */
  readonly countTokens: ((text: string) => Promise<number>) | null;
  readonly tokenizer: string | null;
  /** Prompt tokens that the server counts for a whole request with this text; null when it does not say. */
  readonly countPrompt: (text: string) => Promise<number | null>;
  readonly readFile: (path: string) => Promise<string | null>;
  /** The same in parts, for a file of any size. */
  readonly openFile: (path: string) => Promise<ByteSource | null>;
}

/** What a user says at a turn of a conversation that is known beforehand. */
export interface SaidTurn {
  readonly content: string;
  readonly outputTokens: number;
}

/** Prompts by request number: `at(id)` is always the same for the same seed, and differs from every other id. */
export interface PromptSource {
  readonly at: (id: number) => BenchPrompt;
  /** Tokens that the chat template adds to each prompt; null when unknown. */
  readonly templateTokens: number | null;
  /** Of a trace: when each request is due, µs from the first one, in order, and its prompt, in other words each round. */
  readonly timed?: {
    readonly due: Float64Array;
    readonly at: (number: number, round: number) => BenchPrompt;
  };
  /** A text of so many tokens that is always the same, where such can be made. */
  readonly shared?: (tokens: number) => string;
  /** Conversations by their number in the whole run, of a source that has such. */
  readonly conversation?: (number: number) => {
    readonly system: string | null;
    readonly turns: readonly SaidTurn[];
  };
  /** What its prompts are for; absent: anything that takes a text. */
  readonly uses?: readonly PromptUse[];
  /** Prompts by their number in the whole run, of a source that gives one client of several its part. */
  readonly whole?: (id: number) => BenchPrompt;
  readonly notes: readonly string[];
}

/** Where prompts come from. */
export interface Dataset<Kind extends string = string, Options extends { kind: Kind } = { kind: Kind }> {
  readonly kind: Kind;
  readonly title: string;
  readonly options: z.ZodType<Options>;
  /** It has a length for each answer, so that the server is asked to keep to it. */
  readonly asksLength?: boolean;
  readonly open: (
    options: Options,
    server: PromptServer,
    seed: number,
    cache?: CacheState,
  ) => Promise<PromptSource>;
}
