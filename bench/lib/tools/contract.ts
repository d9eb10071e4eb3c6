/** A load: streams that are kept busy, or requests that start at a rate; until so many were sent, or its time is over. */
export interface Load {
  readonly streams?: number;
  readonly rate?: number;
  /** Of a rate; steady where nothing is said. */
  readonly arrivals?: 'constant' | 'poisson';
  readonly requests?: number;
  readonly seconds?: number;
  /** False: whole answers are asked for. */
  readonly streamed?: boolean;
  /** Some answers never come: so long is waited for one. */
  readonly timeoutSeconds?: number;
}

/** A load generator; what cannot be measured by it (`read` null) tells nothing of its requests. */
export interface Tool {
  readonly name: string;
  readonly argv: (url: string, load: Load, folder: string) => string[];
  readonly env: (folder: string) => NodeJS.ProcessEnv;
  readonly read: ((folder: string) => ToldRequest[]) | null;
}

/** What a tool says of a request that it took for good, in ms; null: it does not say. `number` is that of the server's log. */
export interface ToldRequest {
  readonly number: number;
  readonly ttftMs: number | null;
  /** (last − first) / (tokens − 1). */
  readonly tpotMs: number | null;
  readonly longestGapMs: number | null;
  readonly e2eMs: number | null;
  /** From the moment the request was due, not from the one it was sent at. */
  readonly fromScheduleMs: number | null;
  readonly tokens: number | null;
}

/** Output tokens that every request asks for: by them the server knows a request of the load from a look around. */
export const askedTokens = 20;

/** Prompts that a tool must have ready, so that it does not end with them before its load does. */
export function promptsOf({ requests, rate, streams = 1, seconds = 1 }: Load): number {
  if (requests !== undefined) return requests;
  return Math.ceil(rate === undefined ? streams * seconds : rate * (seconds + 2));
}

/** The server writes its number of the request into the answer's id. */
export function numberOf(id: string | null | undefined): number {
  return Number(id?.replace('truth-', '') ?? Number.NaN);
}
