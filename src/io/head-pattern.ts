import { timingSafeEqual } from 'node:crypto';

/** Where the digits of Content-Length stand in a head, from the first to after the last. */
export interface DigitSpan {
  readonly start: number;
  readonly end: number;
}

/** Beyond this a head is not remembered: it is rare, and the bounds on heads must not depend on what came before. */
const mostBytes = 8 * 1024;
/** As many as every parser here takes; with a first digit of 0 only for 0 itself. */
const mostDigits = 15;
const CR = 13;

/**
 * The bytes of a head that a strict parser has taken, empty line included. Whatever has the very same bytes, but for the
 * digits of Content-Length, is the same head with another length: it need not be parsed again. A head may hold a key, and a
 * proxy may send those of several clients over one connection: how long it takes to compare must not tell how much is right.
 */
export class HeadPattern {
  /** Of the head that `matches` looked at last: its Content-Length; -1 when the pattern has none. */
  length = -1;
  readonly #before: Buffer;
  readonly #after: Buffer | null;

  private constructor(before: Buffer, after: Buffer | null) {
    this.#before = before;
    this.#after = after;
  }

  /** Null for a head that must be parsed each time. `head` is copied. */
  static of(head: Buffer, digits: DigitSpan | null): HeadPattern | null {
    if (head.length > mostBytes) return null;
    if (digits === null) return new HeadPattern(Buffer.from(head), null);
    const before = Buffer.from(head.subarray(0, digits.start));
    const pattern = new HeadPattern(before, Buffer.from(head.subarray(digits.end)));
    return pattern.matches(head) === head.length ? pattern : null;
  }

  /** The offset after the head that these bytes begin with; -1 when it is another one, or not all of it is there. */
  matches(bytes: Buffer): number {
    const before = this.#before;
    const size = before.length;
    if (bytes.length < size || !isAt(before, bytes, 0)) return -1;
    return this.#after === null ? size : this.#matchesRest(bytes, size, this.#after);
  }

  #matchesRest(bytes: Buffer, from: number, after: Buffer): number {
    let at = from;
    let length = 0;
    for (let digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, at)) {
      length = length * 10 + digit;
      at += 1;
    }
    const digits = at - from;
    const end = at + after.length;
    if (digits === 0 || digits > mostDigits || (bytes[from] === 48 && digits > 1)) return -1;
    if (bytes[at] !== CR || end > bytes.length || !isAt(after, bytes, at)) return -1;
    this.length = length;
    return end;
  }
}

/** Up to this length a loop is cheaper than what `timingSafeEqual` wants made for it. */
const shortBytes = 256;

/** In a time that depends on the length of `known` alone. The bytes must be there. */
function isAt(known: Buffer, bytes: Buffer, at: number): boolean {
  const { length } = known;
  if (length > shortBytes) return timingSafeEqual(known, bytes.subarray(at, at + length));
  let difference = 0;
  for (let i = 0; i < length; i += 1) difference |= (known[i] as number) ^ (bytes[at + i] as number);
  return difference === 0;
}

/** -1 when there is none. */
function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] ?? 0) - 48;
  return digit <= 9 ? digit : -1;
}
