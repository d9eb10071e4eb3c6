import type { TimedRequest } from './requests.ts';

/** What GuideLLM derives of one request, by its definitions; undefined: this request does not have it. */
export interface RequestFigures {
  readonly latency: number;
  readonly ttft: number | undefined;
  /** (last − first) / (tokens − 1), which berth calls TPOT. */
  readonly itl: number | undefined;
  /** (last − begin) / tokens, with the time to first token in it. */
  readonly tpot: number | undefined;
  /** (last − first) / tokens: what the same key meant up to 0.3. */
  readonly tpot03: number | undefined;
}

export function figuresOf(request: TimedRequest): RequestFigures {
  const { start, first, last, end, outputTokens: tokens } = request;
  const several = tokens !== null && tokens > 1 && request.record.events > 1;
  return {
    latency: end - start,
    ttft: first === null ? undefined : (first - start) * 1000,
    itl: first === null || last === null || !several ? undefined : ((last - first) * 1000) / (tokens - 1),
    tpot: last === null || !tokens ? undefined : ((last - start) * 1000) / tokens,
    tpot03: first === null || last === null || !tokens ? undefined : ((last - first) * 1000) / tokens,
  };
}
