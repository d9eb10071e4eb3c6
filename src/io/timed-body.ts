/** A body as it came: its bytes without the framing, and when each read came. Times are µs of the client's clock. */
export interface TimedBody {
  readonly bytes: Buffer;
  /** When each read came that carried bytes of the body, and where they end. */
  readonly at: readonly number[];
  readonly ends: readonly number[];
}

export const emptyBody: TimedBody = { bytes: Buffer.alloc(0), at: [], ends: [] };

const firstSize = 4096;

/** Gathers a body: one buffer that grows, and two numbers a read, so that a read costs a copy and no object. */
export class BodyDraft implements TimedBody {
  readonly at: number[] = [];
  readonly ends: number[] = [];
  #buffer: Buffer;
  #length = 0;

  /** `expected`: bytes of the whole body, where the server said so. */
  constructor(expected: number | null) {
    this.#buffer = Buffer.allocUnsafe(Math.min(Math.max(expected ?? firstSize, 1), 1 << 20));
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(source: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    source.copy(this.#buffer, this.#length, start, end);
    this.#length = needed;
  }

  /** What was appended since the last mark came at this moment. */
  mark(at: number): void {
    this.at.push(at);
    this.ends.push(this.#length);
  }

  /** Whether the stream has just said that it is over. */
  saysDone(): boolean {
    let last = this.#length - 1;
    while (last >= 0 && (this.#buffer[last] === lineFeed || this.#buffer[last] === carriageReturn)) last -= 1;
    // Nearly every event of a stream is an object: one look is enough to know that it is not the end.
    if (this.#buffer[last] === closingBrace) return false;
    return doneLine.test(this.#buffer.toString('latin1', Math.max(0, this.#length - 64), this.#length));
  }
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const closingBrace = 0x7d;
const doneLine = /(?:^|[\r\n])data: ?\[DONE\]/;
