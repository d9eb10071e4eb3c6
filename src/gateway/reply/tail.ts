import { ChunkedWalker } from '../../io/upstream-pool/chunked.ts';
import { onlyPayload } from '../../io/upstream-pool/only-payload.ts';
import type { BodyRead } from '../../io/upstream-pool/types.ts';

/** Bytes of payload that are kept at least: usage objects are far smaller. */
const keep = 2048;

/** So many pieces that have been let go are left in the list before it is cut: each event lets one go. */
const mostGone = 32;
const gone = Buffer.alloc(0);

/**
 * The end of a reply's payload, and its first 512 bytes where it is long: usage stands in one of the two. Small reads are
 * kept by reference, so that the usual stream costs no copy; what is held is bounded, however long the reply is.
 */
export class Tail {
  /** Null while one piece has been all, as it is of a small reply: that needs no lists. */
  #pieces: Buffer[] | null = null;
  /** Of each piece: it still has its chunked framing, as a whole number of chunks. */
  #framed: boolean[] = [];
  #only: Buffer | null = null;
  #onlyFramed = false;
  /** The oldest piece that is still held. */
  #first = 0;
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
    const pieces = this.#pieces;
    if (pieces === null) {
      const only = this.#only ?? gone;
      return this.#onlyFramed ? payloadOf(only) : only;
    }
    const parts: Buffer[] = [];
    for (let i = this.#first; i < pieces.length; i += 1)
      parts.push(this.#framed[i] ? payloadOf(pieces[i] as Buffer) : (pieces[i] as Buffer));
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  #keepHead(read: BodyRead): void {
    const parts = this.#head ? [this.#head] : [];
    for (let i = 0; i < read.spanCount; i += 2)
      parts.push(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    this.#head = Buffer.from(Buffer.concat(parts).subarray(0, this.#headBytes));
  }

  #keep(bytes: Buffer, framed: boolean): void {
    this.#bytes += bytes.length;
    if (this.#pieces === null) {
      if (this.#only === null) {
        this.#only = bytes;
        this.#onlyFramed = framed;
        return;
      }
      this.#pieces = [this.#only];
      this.#framed = [this.#onlyFramed];
      this.#only = null;
    }
    this.#pieces.push(bytes);
    this.#framed.push(framed);
    this.#letGo(this.#pieces);
  }

  #letGo(pieces: Buffer[]): void {
    for (;;) {
      const { length } = pieces[this.#first] as Buffer;
      if (this.#bytes - length < keep) break;
      this.#bytes -= length;
      pieces[this.#first] = gone;
      this.#first += 1;
    }
    if (this.#first < mostGone) return;
    pieces.splice(0, this.#first);
    this.#framed.splice(0, this.#first);
    this.#first = 0;
  }

  /** Of a large read, or one that is cut across chunks, only copies are kept. */
  #keepPart(read: BodyRead): void {
    const parts: Buffer[] = [];
    for (let i = 0; i < read.spanCount; i += 2)
      parts.push(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    const payload = Buffer.concat(parts);
    if (this.#reads === 0 && payload.length > keep) this.#head ??= Buffer.from(payload.subarray(0, 512));
    this.#keep(Buffer.from(payload.subarray(-keep)), false);
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
