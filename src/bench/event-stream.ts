import type { TimedRead } from '../io/timed-request.ts';

/** One server-sent event, stamped when the read came in that completed its data. */
export interface StreamEvent {
  readonly at: number;
  readonly name: string;
  readonly data: string;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Server-sent events out of stamped reads (WHATWG HTML, "parsing an event stream"), however the bytes were cut.
 * Unlike a browser it also gives the last event when its closing blank line is missing.
 */
export function parseEventStream(reads: readonly TimedRead[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  let name = '';
  let data: string[] = [];
  let at = 0;
  function dispatch(): void {
    if (data.length > 0) events.push({ at, name, data: data.join('\n') });
    name = '';
    data = [];
  }
  for (const line of linesOf(reads)) {
    if (line.text === '') dispatch();
    else if (!line.text.startsWith(':')) {
      const colon = line.text.indexOf(':');
      const field = colon < 0 ? line.text : line.text.slice(0, colon);
      const value = colon < 0 ? '' : line.text.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') name = value;
      if (field === 'data') {
        data.push(value);
        at = line.at;
      }
    }
  }
  dispatch();
  return events;
}

/** Lines ended by \n, \r\n or \r, decoded whole so that no UTF-8 sequence is cut; the last may have no end. */
function* linesOf(reads: readonly TimedRead[]): Generator<{ at: number; text: string }> {
  const bytes = Buffer.concat(reads.map((read) => read.bytes));
  const marks = reads.map((read) => read.at);
  const ends: number[] = [];
  let total = 0;
  for (const read of reads) ends.push((total += read.bytes.length));
  let start = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  let read = 0;
  for (let i = start; i < bytes.length; i += 1) {
    const byte = bytes[i];
    if (byte !== lineFeed && byte !== carriageReturn) continue;
    while ((ends[read] as number) <= i) read += 1;
    yield { at: marks[read] as number, text: bytes.toString('utf8', start, i) };
    if (byte === carriageReturn && bytes[i + 1] === lineFeed) i += 1;
    start = i + 1;
  }
  if (start < bytes.length) yield { at: marks.at(-1) ?? 0, text: bytes.toString('utf8', start) };
}
