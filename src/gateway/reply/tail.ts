import { ChunkedWalker } from '../../io/upstream-pool/chunked.ts';
import { onlyPayload } from '../../io/upstream-pool/only-payload.ts';
import type { BodyRead } from '../../io/upstream-pool/types.ts';

/** Bytes of payload that are kept at least: usage objects are far smaller. */
const keep = 2048;
const none: (Buffer | boolean)[] = [];

/**
 * The end of a reply's payload, and its first 512 bytes where it is long: usage stands in one of the two. Small reads are
 * kept by reference, so that the usual stream costs no copy; what is held is bounded, however long the reply is.
 */
export class Tail {
  /** The one piece while it has been all, as it is of a small reply: that needs no lists. */
  #only: Buffer | null = null;
  #onlyFramed = false;
  // Of a long reply two lists, each of so many pieces that they hold enough: the older one goes when the newer is full, so that an
  // event costs no more than being added to a list. A piece is followed by whether it has its chunked framing still, as a whole
  // number of chunks.
  #older = none;
  #newer = none;
  /** In the newer list. */
  #bytes = 0;
  #head: Buffer | null = null;
  #reads = 0;
  readonly #headBytes: number;

  /** `headBytes`: how much of the beginning is kept however small the reads are. */
  constructor(headBytes = 0) {
    this.#headBytes = headBytes;
  }

  push(read: BodyRead): void {
    if ((this.#head?.length ?? 0) < this.#headBytes) this.#keepHead(read);
    const small = read.raw.length <= keep;
    if (small && (read.whole || read.spanCount === 2)) {
      this.#keep(read.whole ? read.raw : onlyPayload(read), read.whole);
    } else this.#keepPart(read);
    this.#reads += 1;
  }

  /** As latin1: what is looked for in it is ASCII, and a cut through a character must do no harm. */
  text(): string {
    const tail = this.#payload().toString('latin1');
    return this.#head ? `${this.#head.toString('latin1')}\n${tail}` : tail;
  }

  #payload(): Buffer {
    const only = this.#only;
    if (only) return this.#onlyFramed ? payloadOf(only) : only;
    const all = [...this.#older, ...this.#newer];
    const parts: Buffer[] = [];
    for (let i = 0; i < all.length; i += 2) {
      const piece = all[i] as Buffer;
      parts.push(all[i + 1] === true ? payloadOf(piece) : piece);
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  #keepHead(read: BodyRead): void {
    const parts = this.#head ? [this.#head] : [];
    for (let i = 0; i < read.spanCount; i += 2)
      parts.push(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    this.#head = Buffer.from(Buffer.concat(parts).subarray(0, this.#headBytes));
  }

  #keep(bytes: Buffer, framed: boolean): void {
    if (this.#reads === 0) {
      this.#only = bytes;
      this.#onlyFramed = framed;
      return;
    }
    if (this.#only) {
      this.#newer = [this.#only, this.#onlyFramed];
      this.#bytes = this.#only.length;
      this.#only = null;
    }
    if (this.#bytes >= keep) {
      this.#older = this.#newer;
      this.#newer = [];
      this.#bytes = 0;
    }
    this.#newer.push(bytes, framed);
    this.#bytes += bytes.length;
  }

  /** Nothing that is kept may be missing between two pieces. */
  #forgetBefore(piece: Buffer): void {
    this.#only = null;
    this.#older = none;
    this.#newer = [piece, false];
    this.#bytes = piece.length;
  }

  /** Of a large read, or one that is cut across chunks, only copies are kept. */
  #keepPart(read: BodyRead): void {
    const parts: Buffer[] = [];
    for (let i = 0; i < read.spanCount; i += 2)
      parts.push(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    const payload = Buffer.concat(parts);
    if (this.#reads === 0 && payload.length > keep) this.#head ??= Buffer.from(payload.subarray(0, 512));
    const end = Buffer.from(payload.subarray(-keep));
    this.#keep(end, false);
    if (end.length < payload.length) this.#forgetBefore(end);
  }
}

function payloadOf(framed: Buffer): Buffer {
  const walker = new ChunkedWalker();
  walker.walk(framed, 0);
  const parts: Buffer[] = [];
  for (let i = 0; i < walker.spanCount; i += 2)
    parts.push(framed.subarray(walker.spans[i], walker.spans[i + 1]));
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}
