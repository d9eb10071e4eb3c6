import type { ApiFault } from '../../domain/openai.ts';
import type { HeaderBlock } from '../header-block.ts';
import type { TlsMaterial } from '../tls/material.ts';

export interface BodyOptions {
  /** Asked once with Content-Length, before anything is read: false refuses the body. Takes nothing. */
  readonly fits?: (bytes: number) => boolean;
  /** Asked for each part before it is kept: false refuses the body. Giving back is the asker's own business. */
  readonly take?: (bytes: number) => boolean;
}

/** One request as it came in. Header names and values are as sent, in pairs. */
export interface Inbound {
  readonly method: string;
  /** Path with query, as sent. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** A header's value, by lower-case name; the values of one that was sent several times are joined by commas (RFC 9110, 5.2). */
  readonly header: (name: string) => string | undefined;
  /**
   * The whole body, once. Rejects with `BodyTooLarge` before reading when Content-Length says so, and while reading
   * when chunks add up to more; with `BodyRefused` when `fits` or `take` says no; with `BodyBroken` when the client stops midway.
   * After the first two a reply still reaches the client: what it goes on sending is read and dropped, within bounds.
   */
  readonly body: (limitBytes: number, options?: BodyOptions) => Promise<Buffer>;
  /** The whole body, once, when it is there and `body` would take it; null: ask that. */
  readonly wholeBody: (limitBytes: number, options?: BodyOptions) => Buffer | null;
  /** Aborts once the client has gone before the reply was finished. */
  readonly closed: AbortSignal;
  /** Calls back once when the client has gone before the reply was finished; cheaper than `closed`. */
  readonly onClosed: (callback: () => void) => void;
  /** Shared by requests of one connection whose heads have the same bytes but for Content-Length; null for the first of them. */
  readonly likeness: object | null;
  /** The connection it came over; only for what may be remembered as long as that lasts. */
  readonly connection: object;
  /** Name of the peer for logs: address and port. */
  readonly peer: string;
  /** Common name of the certificate that the client has shown and the server has checked; null without one. */
  readonly certificateName: string | null;
  /** The listener has no more requests come over its connection, and waits for this one. */
  readonly isLast: boolean;
}

export interface HeadOptions {
  readonly verbatim?: boolean;
  /** Headers that other replies have as well, sent before the others; none that is the server's own. */
  readonly common?: HeaderBlock;
  /** Header lines of this reply alone, each with its end, that need no look: none is the server's own, and none has a value that could break out of it. */
  readonly own?: string;
}

/** The answer to one request. Every way out ends in exactly one of `end` and `abort`. */
export interface Reply {
  readonly started: boolean;
  readonly finished: boolean;
  /** True when `head` may be given `verbatim`: the client speaks HTTP/1.1, and the reply may have a body. */
  readonly canVerbatim: boolean;
  /**
   * Sends status and headers at the end of this turn of the event loop, together with what is written until then.
   * With `verbatim` (and Transfer-Encoding: chunked among the headers) the bytes written next already carry their
   * chunked framing, its end included. With Content-Length among them a body of another length cuts the connection. With
   * neither, the server frames the body itself. Connection, Keep-Alive and Date are the server's own; a
   * Connection: close ends the connection with this reply. Throws on a header that would break out of its line.
   */
  readonly head: (status: number, rawHeaders: readonly string[], options?: HeadOptions) => void;
  /** False when the client reads slower than we write: wait for `drained` before the next write. */
  readonly write: (bytes: Uint8Array | string) => boolean;
  /** Resolves when writing may go on, and also when the client has gone. */
  readonly drained: () => Promise<void>;
  readonly end: (bytes?: Uint8Array | string) => void;
  /** Cuts the connection, so that the client sees a broken reply and not a complete one. */
  readonly abort: () => void;
  /** Cuts it with a reset, as a crashed machine's peer sees it. */
  readonly reset: () => void;
}

export type Handler = (inbound: Inbound, reply: Reply) => void | Promise<void>;

/** The reply to what no handler gets: headers, names and values in turn, and a body of JSON. */
export interface RefusalText {
  readonly headers: readonly string[];
  readonly body: string;
}

/** Words such replies. `inbound` is null for bytes that are no request; `served`: a handler has it already, and sees it break off. */
export type Refuser = (fault: ApiFault, inbound: Inbound | null, served: boolean) => RefusalText;

export interface Listening {
  readonly address: string;
  readonly port: number;
  /** New connections get this certificate. Where the authorities for clients are others, open ones end with what they have begun. */
  readonly renewTls: (material: TlsMaterial) => void;
  /** The request came over a connection of this one. */
  readonly serves: (inbound: Inbound) => boolean;
  /** Stops accepting and closes idle connections; resolves when the last one is gone, or cuts what is left after `graceMs`. */
  readonly close: (graceMs: number) => Promise<void>;
}
