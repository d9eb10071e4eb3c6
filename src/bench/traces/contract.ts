/** One request of a trace: when it came, by the trace's own clock, and how long it was. */
export interface TraceRequest {
  /** Seconds; only differences count. */
  readonly at: number;
  readonly prompt: number;
  readonly output: number;
  /** Blocks of its prompt, each named alike wherever prompts begin alike; null where the trace does not tell. */
  readonly blocks: readonly (number | string)[] | null;
}

/** What one line is. `skipped`: a line that is sound but no request that can be sent again, and why. */
export type TraceLine =
  | { readonly request: TraceRequest }
  | { readonly skipped: string }
  | { readonly fault: string };

export interface TraceReaderOptions {
  /** Tokens of one block of a prompt. */
  readonly blockTokens: number;
  /** Lines of other models are left out, where lines name one. */
  readonly model?: string | undefined;
}

/** A way in which traces of requests are written down. */
export interface TraceFormat<Kind extends string = string> {
  readonly kind: Kind;
  readonly title: string;
  /** Whether a file that begins with this line is one. */
  readonly recognizes: (firstLine: string) => boolean;
  /** The first line names the columns and is no request. */
  readonly header: boolean;
  /** A reader of the lines; a fault of the first line is given as a text. */
  readonly open: (firstLine: string, options: TraceReaderOptions) => ((line: string) => TraceLine) | string;
}
