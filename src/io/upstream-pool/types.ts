import type { HeaderBlock } from '../header-block.ts';

/** One request to an upstream. Hop-by-hop headers, Host and Content-Length are the pool's own. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path with query, below the pool's base URL. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Those that other requests have as well; sent before `headers`. */
  readonly common?: HeaderBlock;
  /** Parts are sent one after the other; text is latin1. */
  readonly body: readonly (Buffer | string)[];
  /** On a new connection: whether one comes about is what is asked. */
  readonly anew?: boolean;
}

export interface UpstreamHead {
  readonly status: number;
  /** As the upstream sent them, names and values in turn. */
  readonly headers: readonly string[];
  /** How the end of the body is known. */
  readonly framing: 'chunked' | 'length' | 'close' | 'none';
  /** Content-Length; null with any other framing. */
  readonly length: number | null;
  readonly eventStream: boolean;
  /** Shared by heads of this upstream whose bytes are the same but for Content-Length; null for the first of them. */
  readonly likeness: object | null;
}

/** What one read from the socket brought of the body. Reused for the next read: valid only during the call. */
export interface BodyRead {
  /** The bytes as they came, chunked framing included. */
  readonly raw: Buffer;
  /** True when `raw` is a whole number of chunks, so that it can be forwarded as it is. */
  readonly whole: boolean;
  /** True when the body ends with this read. */
  readonly last: boolean;
  /** Where the payload lies in `raw`: start and end of each piece in turn; `spanCount` numbers are valid. */
  readonly spans: readonly number[];
  readonly spanCount: number;
}

/**
 * - `refused`: nobody listens, or the address cannot be reached.
 * - `untrusted`: no TLS came about, mostly because of the server's certificate.
 * - `connect-timeout`: no connection in time.
 * - `reset`: the connection ended before the reply was whole.
 * - `malformed`: what came is no HTTP reply.
 * - `first-byte-timeout`: nothing came of a reply for longer than is allowed.
 * - `idle-timeout`: nothing came for too long once the reply had begun.
 */
export type FailureKind =
  | 'refused'
  | 'untrusted'
  | 'connect-timeout'
  | 'reset'
  | 'malformed'
  | 'first-byte-timeout'
  | 'idle-timeout';

export interface UpstreamFailure {
  readonly kind: FailureKind;
  readonly message: string;
  /** The system's word for it, where it has one: ECONNREFUSED. */
  readonly code?: string | undefined;
}

/** Hears of one exchange: `onHead`, then `onBody` as often as needed, then `onEnd`; or `onFail` at any point. */
export interface UpstreamSink {
  readonly onHead: (head: UpstreamHead) => void;
  readonly onBody: (read: BodyRead) => void;
  readonly onEnd: () => void;
  readonly onFail: (failure: UpstreamFailure) => void;
}

/** One request under way. */
export interface Exchange {
  /** It was given to a connection that had come about: the upstream may have begun its work. */
  readonly sent: boolean;
  /** The upstream's machine has taken its connection, be it without TLS yet. */
  readonly reached: boolean;
  /** Closes the connection, so that the upstream stops working on it; the sink hears nothing more. */
  readonly abort: () => void;
  /** Backpressure: stops reading, so that the upstream's window fills. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export interface UpstreamPool {
  readonly send: (request: UpstreamRequest, sink: UpstreamSink) => Exchange;
  /** Sets other time limits, for what is under way too. */
  readonly limit: (times: PoolTimes) => void;
  /**
   * The upstream's machine has not been reached since then: ends as `reset` all that waits for the beginning of a reply.
   * Does nothing when something has come from there since.
   */
  readonly giveUp: (unreachedSince: number) => void;
  /** Closes idle connections and keeps none from now on; exchanges under way go on to their end. */
  readonly retire: () => void;
}

export interface PoolTimes {
  readonly connectMs: number;
  /** Longest silence between two reads of a reply that has begun, be it with a part of its head. */
  readonly idleMs: number;
  /** Longest silence before that, once connected; absent: no limit, since a prefill takes as long as it takes. */
  readonly firstByteMs?: number | undefined;
}

export interface PoolOptions extends PoolTimes {
  /** PEM: the authorities that are trusted, in place of the usual ones; for https. */
  readonly ca?: string;
}
