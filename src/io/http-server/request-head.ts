/** A request up to its body. */
export interface RequestHead {
  readonly method: string;
  /** The target as it was sent, but that of an absolute one the server is taken off. */
  readonly url: string;
  /** Names and values in turn, as sent; values without the white space around them. */
  readonly rawHeaders: readonly string[];
  /** The names in lower case, one for each pair. */
  readonly names: readonly string[];
  /** Ten for HTTP/1.0, eleven for HTTP/1.1; others are there too. */
  readonly version: number;
  /** What version and Connection header say. */
  readonly keepAlive: boolean;
  /** Connection and Upgrade offer another protocol, or the method is CONNECT. */
  readonly upgrade: boolean;
  readonly hosts: number;
  /** Content-Length; null without one. */
  readonly length: number | null;
  /** Transfer-Encoding; null without one. */
  readonly coding: string | null;
  readonly expect: string | null;
  /** Shared by heads of this connection whose bytes are the same but for Content-Length; null for the first of them. */
  readonly likeness: object | null;
}
