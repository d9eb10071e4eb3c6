/** A distribution as another tool summed it up, in ms; what its file does not have is null. */
export interface ForeignSummary {
  readonly n: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Latencies by berth's definitions: what a tool calls otherwise stands under the name of what it is. */
export const foreignLatencies = ['ttft', 'itl', 'tpot', 'e2e'] as const;
export type ForeignLatency = (typeof foreignLatencies)[number];

export interface ForeignStage {
  readonly label: string;
  /** The load was by rate, so that a latency from sending hides the waiting before it. */
  readonly open: boolean;
  readonly requests: { readonly ok: number | null; readonly failed: number | null };
  /** Means of a request. */
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  /** A second, over the tool's own window. */
  readonly outputTokensPerSecond: number | null;
  readonly requestsPerSecond: number | null;
  /** Values of single requests (of single gaps: itl) in ms in the order of the requests, where the file has them all. */
  readonly values: Readonly<Partial<Record<ForeignLatency, readonly number[]>>>;
  /** Where it does not. */
  readonly summaries: Readonly<Partial<Record<ForeignLatency, ForeignSummary>>>;
}

/** A run that another tool measured. */
export interface ForeignRun {
  readonly tool: string;
  readonly name: string;
  readonly model: string | null;
  readonly url: string | null;
  readonly startedAt: string | null;
  /** null: the file does not tell. */
  readonly api: string | null;
  readonly streamed: boolean | null;
  /** Who counted the output tokens. */
  readonly tokensSource: 'usage' | 'tokenize' | null;
  readonly stages: readonly ForeignStage[];
  /** What was converted, and what cannot be compared and why; each a sentence. */
  readonly notes: readonly string[];
}
