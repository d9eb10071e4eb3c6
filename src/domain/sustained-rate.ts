/** How one engine served its requests: times in ms, lengths in tokens. */
export interface Service {
  /** Requests that it batches at once. */
  readonly slots: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly outputTokens: number;
}

/**
 * Requests per second that an engine keeps up at most: its slots over the time that one request holds one (Little's law,
 * λ = L / W with W = TTFT + (tokens − 1) × TPOT). What comes faster for long waits longer and longer.
 */
export function sustainedRate({ slots, ttftMs, tpotMs, outputTokens }: Service): number {
  return (slots * 1000) / (ttftMs + Math.max(0, outputTokens - 1) * tpotMs);
}

/** Tokens that answers may have for it to keep up `rate` requests a second; 0: not even answers of one. */
export function answerAtRate({ slots, ttftMs, tpotMs }: Omit<Service, 'outputTokens'>, rate: number): number {
  const left = (slots * 1000) / rate - ttftMs;
  return left < 0 ? 0 : Math.floor(left / tpotMs) + 1;
}
