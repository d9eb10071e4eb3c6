import { HeadPattern } from '../head-pattern.ts';
import type { DigitSpan } from '../head-pattern.ts';
import type { RequestHead } from './request-head.ts';

/** A head that this connection's parser has taken, for the requests that have the very same one but for Content-Length. */
export class KnownHead {
  readonly #pattern: HeadPattern;
  /** Where the length stands among names and values. */
  readonly #at: number;
  #latest: RequestHead;

  private constructor(pattern: HeadPattern, head: RequestHead) {
    this.#pattern = pattern;
    this.#at = 2 * head.names.indexOf('content-length') + 1;
    // What is noted for one of these heads holds for all of them.
    this.#latest = { ...head, likeness: {} };
  }

  /**
   * `bytes` are those of `head` up to its body. Null where more than the bytes decides what the next request means, or
   * the parser has more to do than to count the body.
   */
  static of(head: RequestHead, bytes: Buffer, digits: DigitSpan): KnownHead | null {
    if (head.coding !== null || head.expect !== null || head.upgrade || !head.keepAlive) return null;
    const pattern = HeadPattern.of(bytes, digits);
    return pattern && new KnownHead(pattern, head);
  }

  /** Where the body begins, after which `head` is that of these bytes; -1 when they are to be parsed. */
  bodyOf(bytes: Buffer): number {
    return this.#pattern.matches(bytes);
  }

  get head(): RequestHead {
    const { length } = this.#pattern;
    if (length !== this.#latest.length) {
      const rawHeaders = this.#latest.rawHeaders.with(this.#at, String(length));
      this.#latest = { ...this.#latest, length, rawHeaders };
    }
    return this.#latest;
  }
}
