import { ChunkedWalker, MalformedReply } from './chunked.ts';
import { maxHeadBytes, parseHead } from './head.ts';
import type { ParsedHead } from './head.ts';
import type { KnownReplies } from './known-replies.ts';
import type { BodyRead, UpstreamSink } from './types.ts';

/** Reads one reply out of a connection's bytes and tells the sink; knows nothing of sockets. */
export class ReplyReader implements BodyRead {
  /** Null until the final head (not a 1xx) is there. */
  head: ParsedHead | null = null;
  done = false;
  /** Some of the reply has come, be it a part of its head. */
  get begun(): boolean {
    return this.head !== null || this.#partial !== null;
  }

  get last(): boolean {
    return this.done;
  }

  /** Bytes after the end of the reply: nobody asked for them, the connection is not usable again. */
  surplus = false;
  raw: Buffer = empty;
  whole = false;
  spans: readonly number[] = [];
  spanCount = 0;
  readonly #sink: UpstreamSink;
  readonly #bodyless: boolean;
  readonly #known: KnownReplies | null;
  #partial: Buffer | null = null;
  #walker: ChunkedWalker | null = null;
  #left = 0;

  /** `method` of the request: a reply to HEAD ends with its head, whatever length that tells (RFC 9112, 6.3). */
  constructor(sink: UpstreamSink, method: string, known: KnownReplies | null = null) {
    this.#sink = sink;
    this.#bodyless = method === 'HEAD';
    this.#known = this.#bodyless ? null : known;
  }

  /**
   * Takes what was read. Throws MalformedReply, and then the sink has heard nothing of this read: of a good head whose first
   * chunk is broken nothing has gone on to a client. `isLive` stops the work when the sink has aborted midway.
   */
  push(bytes: Buffer, isLive: () => boolean): void {
    const headIsNew = !this.head;
    let rest: Buffer | null = bytes;
    while (rest && !this.head) rest = this.#readHead(rest);
    const { head } = this;
    if (!rest || !head) return;
    const hasBody = this.#takeBody(rest, head);
    if (headIsNew) this.#sink.onHead(head);
    if (hasBody && isLive()) this.#sink.onBody(this);
    this.raw = empty;
    if (this.done && isLive()) this.#sink.onEnd();
  }

  /** The upstream has closed its side. True when that is the proper end of the reply. */
  finish(): boolean {
    if (this.done) return true;
    if (this.head?.framing !== 'close') return false;
    this.done = true;
    this.#sink.onEnd();
    return true;
  }

  /** Returns what follows the head, or null when more must come. */
  #readHead(bytes: Buffer): Buffer | null {
    if (this.#known && !this.#partial) {
      const after = this.#known.find(bytes);
      if (after >= 0 && this.#known.head) return this.#begin(this.#known.head, bytes.subarray(after));
    }
    const all = this.#partial ? Buffer.concat([this.#partial, bytes]) : bytes;
    const end = all.indexOf('\r\n\r\n');
    if (end > maxHeadBytes || (end < 0 && all.length > maxHeadBytes))
      throw new MalformedReply('The head of the reply is too large.');
    if (end < 0) {
      if (!'HTTP/1.'.startsWith(all.toString('latin1', 0, 7)))
        throw new MalformedReply('The reply is not HTTP/1.');
      this.#partial = all;
      return null;
    }
    this.#partial = null;
    const text = all.toString('latin1', 0, end);
    const told = parseHead(text);
    const head: ParsedHead = this.#bodyless ? { ...told, framing: 'none', length: null } : told;
    const rest = all.subarray(end + 4);
    if (head.status === 101) throw new MalformedReply('The upstream switched protocols unasked.');
    if (head.status < 200) return rest.length > 0 ? rest : null;
    this.#known?.learn(told, all.subarray(0, end + 4), text);
    return this.#begin(head, rest);
  }

  #begin(head: ParsedHead, rest: Buffer): Buffer {
    this.head = head;
    this.#left = head.length ?? 0;
    if (head.framing === 'chunked') {
      this.#walker = new ChunkedWalker();
      this.spans = this.#walker.spans;
    } else {
      this.spans = [0, 0];
      this.spanCount = 2;
    }
    this.done = head.framing === 'none' || head.length === 0;
    if (this.done && rest.length > 0) this.surplus = true;
    return rest;
  }

  /** True when there is something of the body to tell. */
  #takeBody(bytes: Buffer, head: ParsedHead): boolean {
    if (this.done || bytes.length === 0) return false;
    const end = this.#walker ? this.#walk(bytes, this.#walker) : this.#count(bytes, head);
    this.raw = end === bytes.length ? bytes : bytes.subarray(0, end);
    this.surplus = end < bytes.length;
    return true;
  }

  #walk(bytes: Buffer, walker: ChunkedWalker): number {
    const aligned = walker.aligned;
    const end = walker.walk(bytes, 0);
    this.spanCount = walker.spanCount;
    this.whole = aligned && walker.aligned;
    this.done = walker.done;
    return end;
  }

  #count(bytes: Buffer, head: ParsedHead): number {
    const end = head.framing === 'length' ? Math.min(this.#left, bytes.length) : bytes.length;
    (this.spans as number[])[1] = end;
    if (head.framing === 'length') {
      this.#left -= end;
      this.done = this.#left === 0;
    }
    return end;
  }
}

const empty = Buffer.alloc(0);
