import type { BodyRead } from '../../io/upstream-pool/types.ts';

const LF = 10;
const CR = 13;
const colon = 58;

/**
 * Counts the events of a stream in its bytes, however they are cut: an event ends with an empty line after one that is
 * not. In a text stream that is about one token each.
 */
export class EventCounter {
  count = 0;
  /** Bytes of the present line so far, without its CR. */
  #line = 0;
  /** The present event has a line that is no comment. */
  #filled = false;

  push(read: BodyRead): void {
    for (let i = 0; i < read.spanCount; i += 2)
      this.#span(read.raw, read.spans[i] as number, read.spans[i + 1] as number);
  }

  #span(bytes: Buffer, start: number, end: number): void {
    let at = start;
    // One event and no more, as engines write them: its first line end is that before the empty line.
    if (
      this.#line === 0 &&
      !this.#filled &&
      end - start > 2 &&
      bytes[end - 1] === LF &&
      isLine(bytes[start])
    ) {
      if (bytes.indexOf(LF, start) === end - 2) {
        this.count += 1;
        return;
      }
    }
    while (at < end) {
      const found = bytes.indexOf(LF, at);
      const lineEnd = found < 0 || found >= end ? end : found;
      if (this.#line === 0 && lineEnd > at && bytes[at] !== colon && bytes[at] !== CR) this.#filled = true;
      this.#line += lineEnd - at - (lineEnd > at && bytes[lineEnd - 1] === CR ? 1 : 0);
      if (lineEnd === end) return;
      if (this.#line === 0 && this.#filled) {
        this.count += 1;
        this.#filled = false;
      }
      this.#line = 0;
      at = lineEnd + 1;
    }
  }
}

/** A line that begins so is neither empty nor a comment. */
function isLine(byte: number | undefined): boolean {
  return byte !== LF && byte !== CR && byte !== colon;
}
