import type { TimedBody } from '../io/timed-body.ts';

/** One server-sent event, stamped when the read came in that completed its data. */
export interface StreamEvent {
  readonly at: number;
  readonly name: string;
  readonly data: string;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Server-sent events out of a stamped body (WHATWG HTML, "parsing an event stream"), however its bytes were cut.
 * Unlike a browser it also gives the last event when its closing blank line is missing.
 */
export class EventCursor {
  /** Where the next event begins. */
  position: number;
  /** Where the line ended that completed the last event's data. */
  dataEnd = 0;
  readonly bytes: Buffer;
  readonly #body: TimedBody;
  #read = 0;

  constructor(body: TimedBody) {
    this.#body = body;
    this.bytes = body.bytes;
    this.position = this.bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  }

  /** When the byte at this offset came. Asked for offsets that do not go down. */
  timeOf(offset: number): number {
    const { at, ends } = this.#body;
    while (this.#read < ends.length - 1 && (ends[this.#read] as number) <= offset) this.#read += 1;
    return at[this.#read] ?? 0;
  }

  next(): StreamEvent | null {
    let name = '';
    let data: string | null = null;
    while (this.position < this.bytes.length) {
      const start = this.position;
      const end = this.#lineEnd(start);
      this.position = this.#afterLine(end);
      if (end === start) {
        if (data !== null) return this.#event(name, data);
        name = '';
        continue;
      }
      // A line is decoded whole, so that no sequence of UTF-8 is cut.
      const line = this.bytes.toString('utf8', start, end);
      if (line.startsWith(':')) continue;
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
      if (field === 'event') name = value;
      if (field === 'data') {
        data = data === null ? value : `${data}\n${value}`;
        this.dataEnd = end;
      }
    }
    return data === null ? null : this.#event(name, data);
  }

  #event(name: string, data: string): StreamEvent {
    return { at: this.timeOf(this.dataEnd), name, data };
  }

  #lineEnd(start: number): number {
    const { bytes } = this;
    for (let i = start; i < bytes.length; i += 1) {
      const byte = bytes[i];
      if (byte === lineFeed || byte === carriageReturn) return i;
    }
    return bytes.length;
  }

  /** Lines end in \n, \r\n or \r. */
  #afterLine(end: number): number {
    return this.bytes[end] === carriageReturn && this.bytes[end + 1] === lineFeed ? end + 2 : end + 1;
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

export function parseEventStream(body: TimedBody): StreamEvent[] {
  const cursor = new EventCursor(body);
  const events: StreamEvent[] = [];
  for (let event = cursor.next(); event; event = cursor.next()) events.push(event);
  return events;
}
