/** What came is no HTTP reply that a strict reader takes. */
export class MalformedReply extends Error {
  override readonly name = 'MalformedReply';
}

type State =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'trailer-line'
  | 'last-lf'
  | 'done';

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
/** Sizes above this are refused: no reply has such a chunk, and the sum must stay an exact integer. */
const maxDigits = 12;
const maxExtras = 16 * 1024;
/** Of the size of a chunk that lies whole in one read. */
const fewDigits = 6;

/**
 * Walks chunked framing (RFC 9112, 7.1) over reads of any size and finds where the message ends. Payload is skipped,
 * not looked at; where it lies is told in `spans`. Strict: CRLF only, digits required, extensions and trailers bounded.
 */
export class ChunkedWalker {
  /** Start and end of each piece of payload in the bytes walked last; `spanCount` numbers are valid. */
  readonly spans: number[] = [];
  spanCount = 0;
  #state: State = 'size';
  #remaining = 0;
  #digits = 0;
  #extras = 0;

  /** True between two chunks (also at the very start and after the end). */
  get aligned(): boolean {
    return (this.#state === 'size' && this.#digits === 0) || this.#state === 'done';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Returns the offset after the last byte of the message, or the length when it goes on. */
  walk(bytes: Uint8Array, from: number): number {
    this.spanCount = 0;
    let at = from;
    while (at < bytes.length && this.#state !== 'done') {
      const next = this.aligned ? this.#wholeChunk(bytes, at) : at;
      if (next > at) at = next;
      else if (this.#state === 'data') {
        const end = Math.min(at + this.#remaining, bytes.length);
        this.#found(at, end);
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#state = 'data-cr';
      } else {
        this.#step(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  /** What is behind a chunk that lies whole in these bytes, as nearly all do; `at` where that is not so, and for the last one. */
  #wholeChunk(bytes: Uint8Array, at: number): number {
    let size = 0;
    let start = at;
    for (const most = Math.min(at + fewDigits, bytes.length); start < most; start += 1) {
      const digit = hexDigit(bytes[start] as number);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    start += 2;
    const end = start + size;
    if (size === 0 || end + 2 > bytes.length) return at;
    if (bytes[start - 2] !== CR || bytes[start - 1] !== LF || bytes[end] !== CR || bytes[end + 1] !== LF)
      return at;
    this.#found(start, end);
    return end + 2;
  }

  #found(start: number, end: number): void {
    this.spans[this.spanCount] = start;
    this.spans[this.spanCount + 1] = end;
    this.spanCount += 2;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#size(byte);
        return;
      case 'extension':
        this.#extra();
        this.#notBare(byte);
        if (byte === CR) this.#state = 'size-lf';
        return;
      case 'size-lf':
        this.#expect(byte, LF);
        this.#state = this.#remaining === 0 ? 'trailer' : 'data';
        this.#digits = 0;
        return;
      case 'data-cr':
        this.#expect(byte, CR);
        this.#state = 'data-lf';
        return;
      case 'data-lf':
        this.#expect(byte, LF);
        this.#state = 'size';
        return;
      case 'trailer':
        this.#extra();
        this.#notBare(byte);
        this.#state = byte === CR ? 'last-lf' : 'trailer-line';
        return;
      case 'trailer-line':
        this.#extra();
        if (byte === LF) this.#state = 'trailer';
        return;
      case 'last-lf':
        this.#expect(byte, LF);
        this.#state = 'done';
        return;
      case 'data':
      case 'done':
        return;
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      if (this.#digits > maxDigits) throw new MalformedReply('A chunk size is too large.');
      this.#remaining = this.#remaining * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new MalformedReply('A chunk size is missing.');
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === SEMICOLON || byte === 32 || byte === 9) this.#state = 'extension';
    else throw new MalformedReply('A chunk size is not hexadecimal.');
  }

  /** A client that takes a bare LF for a line's end would see the reply end elsewhere than we do. */
  #notBare(byte: number): void {
    if (byte === LF) throw new MalformedReply('The chunked framing holds a bare line end.');
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) throw new MalformedReply('The chunked framing is broken.');
  }

  #extra(): void {
    this.#extras += 1;
    if (this.#extras > maxExtras) throw new MalformedReply('Chunk extensions or trailers are too large.');
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
