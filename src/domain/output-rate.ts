/** What is known of streams that run side by side; milliseconds. */
export interface StreamTimes {
  readonly streams: number;
  /** Mean gap between output tokens of one stream. */
  readonly itlMs: number;
  /** Unknown: as if the first token came at once, which bounds the rate from above. */
  readonly ttftMs?: number | undefined;
  /** Of one answer; unknown: as if answers never ended. */
  readonly outputTokens?: number | undefined;
}

/**
 * Output tokens a second that N streams can give at most when each answer takes TTFT + (tokens − 1) × ITL (Little's law:
 * concurrency = rate × duration). More than this was not output, or not these streams.
 */
export function outputRateBound(times: StreamTimes): number {
  const { streams, itlMs, ttftMs = 0, outputTokens } = times;
  if (outputTokens === undefined) return (streams * 1000) / itlMs;
  return (streams * outputTokens * 1000) / (ttftMs + (outputTokens - 1) * itlMs);
}
