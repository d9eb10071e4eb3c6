import type { Reply } from '../../io/http-server/types.ts';
import { onlyPayload } from '../../io/upstream-pool/only-payload.ts';
import type { BodyRead } from '../../io/upstream-pool/types.ts';
import type { Sieve } from './sieve.ts';

/**
 * Passes an upstream's body on. With `verbatim` whole chunks go out as they came, one write a read, and only the rest is
 * framed anew: the reply is between two chunks after every call, so that an error event can follow at any time.
 */
export class ReplyWriter {
  readonly #reply: Reply;
  readonly #verbatim: boolean;
  readonly #filter: Sieve | null;
  /** The end has been written together with the last bytes. */
  #ended = false;

  constructor(reply: Reply, options: { verbatim: boolean; filter: Sieve | null }) {
    this.#reply = reply;
    this.#verbatim = options.verbatim;
    this.#filter = options.filter;
  }

  /** False when the client reads slower than the upstream writes. */
  write(read: BodyRead): boolean {
    const pieces = this.#filter ? this.#filter.push(read) : 'as-is';
    if (pieces !== 'as-is') return this.#all(pieces);
    if (this.#verbatim && read.whole) return this.#asItIs(read.raw, read.last);
    if (read.last && !this.#verbatim && read.spanCount === 2 && !this.#filter)
      return this.#asItIs(onlyPayload(read), true);
    if (read.spanCount === 2) return this.#payload(onlyPayload(read));
    let ready = true;
    for (let i = 0; i < read.spanCount; i += 2)
      ready = this.#payload(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    return ready;
  }

  end(): void {
    const rest = this.#filter?.rest();
    if (rest) this.#payload(rest);
    this.#finish();
  }

  /**
   * Ends an event stream with an event of our own in place of what has not come; the start of an event that was held back
   * is dropped. False when a part of an event has gone out already: then only cutting the connection tells the truth.
   */
  endWith(event: string): boolean {
    if (this.#filter && !this.#filter.betweenEvents) return false;
    this.#payload(Buffer.from(event));
    this.#finish();
    return true;
  }

  #finish(): void {
    if (this.#ended) return;
    if (this.#verbatim) this.#reply.end('0\r\n\r\n');
    else this.#reply.end();
  }

  #asItIs(bytes: Buffer, last: boolean): boolean {
    if (!last) return this.#reply.write(bytes);
    this.#ended = true;
    this.#reply.end(bytes);
    return true;
  }

  #all(pieces: readonly Buffer[]): boolean {
    let ready = true;
    for (const piece of pieces) ready = this.#payload(piece);
    return ready;
  }

  #payload(bytes: Buffer): boolean {
    // An empty chunk would end the body.
    if (bytes.length === 0) return true;
    if (!this.#verbatim) return this.#reply.write(bytes);
    this.#reply.write(`${bytes.length.toString(16)}\r\n`);
    this.#reply.write(bytes);
    return this.#reply.write('\r\n');
  }
}
