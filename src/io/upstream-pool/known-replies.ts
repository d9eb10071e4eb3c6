import { HeadPattern } from '../head-pattern.ts';
import type { DigitSpan } from '../head-pattern.ts';
import type { ParsedHead } from './head.ts';

/** A plain reply and an event stream: an engine has one head of each, but for its length. */
const most = 2;
/** An upstream whose heads are all different is not learned from any longer after so many of them in a row. */
const mostLessons = 64;
const lengthLine = /\r\ncontent-length: *(\d+)/gi;

interface Known {
  readonly pattern: HeadPattern;
  latest: ParsedHead;
}

/** Heads that one upstream has sent and that were found good: the same again, but for its length, is not parsed again. */
export class KnownReplies {
  /** What `find` has found last. */
  head: ParsedHead | null = null;
  readonly #known: Known[] = [];
  #lessons = 0;

  /** The offset after the head that these bytes begin with, which is then `head`; -1 when it is to be parsed. */
  find(bytes: Buffer): number {
    for (const one of this.#known) {
      const end = one.pattern.matches(bytes);
      if (end < 0) continue;
      this.head = headOf(one);
      this.#lessons = 0;
      return end;
    }
    return -1;
  }

  /** `bytes` are those of a final head, empty line included; `text` the same without that. */
  learn(head: ParsedHead, bytes: Buffer, text: string): void {
    if (this.#lessons >= mostLessons) return;
    this.#lessons += 1;
    const digits = head.framing === 'length' ? digitsIn(text) : null;
    if (head.framing === 'length' && !digits) return;
    const pattern = HeadPattern.of(bytes, digits);
    if (!pattern) return;
    // What is noted for one of these heads holds for all of them.
    this.#known.unshift({ pattern, latest: { ...head, likeness: {} } });
    if (this.#known.length > most) this.#known.pop();
  }
}

/** Null when the length is not told exactly once. */
function digitsIn(text: string): DigitSpan | null {
  const [line, another] = text.matchAll(lengthLine);
  if (!line || another) return null;
  const end = line.index + line[0].length;
  return { start: end - (line[1] as string).length, end };
}

function headOf(one: Known): ParsedHead {
  const { length } = one.pattern;
  const { latest } = one;
  if (latest.framing !== 'length' || latest.length === length) return latest;
  const at = latest.headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'content-length');
  one.latest = { ...latest, length, headers: latest.headers.with(at + 1, String(length)) };
  return one.latest;
}
