import type { EventCursor } from './event-stream.ts';

/** Which of a chunk's fields had the text, as it stands in the JSON. */
export type TextField = 'content' | 'text' | 'reasoning_content' | 'reasoning';

const quote = 0x22;
const backslash = 0x5c;

/**
 * Nearly all events of a stream are the same bytes around another text. One that was parsed in full is a template for
 * those after it: what has the same bytes up to the text's opening quote, and the same from its closing quote to the
 * blank line, is the same JSON with another text, and is not parsed again.
 */
export class EventTemplate {
  readonly #prefix: Buffer;
  readonly #suffix: Buffer;
  /** Bytes of the suffix up to the end of the data line. */
  readonly #tail: number;
  readonly field: TextField;
  /** Where the text of the last match lies. */
  textStart = 0;
  textEnd = 0;

  private constructor(parts: { prefix: Buffer; suffix: Buffer; tail: number; field: TextField }) {
    this.#prefix = parts.prefix;
    this.#suffix = parts.suffix;
    this.#tail = parts.tail;
    this.field = parts.field;
  }

  /** From the event between `start` and the cursor, which carried text in this field; null when it is no template. */
  static learn(cursor: EventCursor, start: number, field: TextField): EventTemplate | null {
    const { bytes, position, dataEnd } = cursor;
    const event = bytes.toString('latin1', start, Math.min(position, bytes.length));
    const end = event.slice(dataEnd - start);
    if (!blankLines.has(end) || lineBreak.test(event.slice(0, dataEnd - start))) return null;
    const opening = openings[field];
    const found = opening.exec(event);
    if (!found || opening.test(event.slice(found.index + 1))) return null;
    const textStart = start + found.index + found[0].length;
    const textEnd = closingQuote(bytes, textStart, dataEnd);
    if (textEnd < 0) return null;
    return new EventTemplate({
      prefix: bytes.subarray(start, textStart),
      suffix: bytes.subarray(textEnd, position),
      tail: dataEnd - textEnd,
      field,
    });
  }

  /** Whether the next event is of this form; the cursor then stands behind it. */
  matches(cursor: EventCursor): boolean {
    const { bytes, position } = cursor;
    const prefix = this.#prefix;
    if (!sameBytes(bytes, position, prefix)) return false;
    const textStart = position + prefix.length;
    const textEnd = closingQuote(bytes, textStart, bytes.length);
    if (textEnd <= textStart || !sameBytes(bytes, textEnd, this.#suffix)) return false;
    this.textStart = textStart;
    this.textEnd = textEnd;
    cursor.dataEnd = textEnd + this.#tail;
    cursor.position = textEnd + this.#suffix.length;
    return true;
  }
}

const blankLines: ReadonlySet<string> = new Set(['\n\n', '\r\n\r\n', '\r\r']);
const lineBreak = /[\r\n]/;
const openings: Readonly<Record<TextField, RegExp>> = {
  content: /"content" ?: ?"/,
  text: /"text" ?: ?"/,
  reasoning_content: /"reasoning_content" ?: ?"/,
  reasoning: /"reasoning" ?: ?"/,
};

function sameBytes(bytes: Buffer, from: number, wanted: Buffer): boolean {
  const { length } = wanted;
  if (from + length > bytes.length) return false;
  for (let i = 0; i < length; i += 1) if (bytes[from + i] !== wanted[i]) return false;
  return true;
}

/** Where a JSON string ends that begins at `from`; -1 when it does not, or has a byte that none may have. */
function closingQuote(bytes: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === quote) return i;
    if (byte < 0x20) return -1;
    if (byte === backslash) i += 1;
  }
  return -1;
}
