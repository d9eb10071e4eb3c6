import type { BodyRead } from '../../io/upstream-pool/types.ts';

const LF = 10;
const CR = 13;
const colon = 58;
const openBracket = 91;
const closeBracket = 93;
const backslash = 92;
const openBrace = 123;
const emptyList = Buffer.from('[]');
const choices = Buffer.from('"choices":');
const nothing = Buffer.alloc(0);
/** A partial event larger than this is no longer held back. */
const maxHeld = 64 * 1024;

/**
 * Passes an event stream on in whole events, so that an event of our own can follow at any time: a client would take the
 * start of an event and an error behind it for one event that is broken. A read of whole events, as engines write them,
 * passes as it is and is not parsed. Of a read that ends within an event, that last event is held back until its rest has
 * come.
 *
 * With `stripUsage` the usage event (`"choices":[]`, which the gateway asked for) is taken out for a client that did not
 * ask.
 */
export class EventFilter {
  readonly #stripUsage: boolean;
  #held: Buffer = nothing;
  /** The last bytes of an event that is too large to be held and is passed on in pieces; null between events. */
  #passing: Buffer | null = null;
  /** Where the first list began in an earlier read: the events of a stream begin alike. */
  #listAt = 0;

  constructor(options: { stripUsage: boolean }) {
    this.#stripUsage = options.stripUsage;
  }

  /** What has been passed on ends where an event ends. */
  get betweenEvents(): boolean {
    return this.#passing === null;
  }

  /** What to send instead of this read; "as-is" for all of it. */
  push(read: BodyRead): readonly Buffer[] | 'as-is' {
    const free = this.#held.length === 0 && this.#passing === null;
    if (read.spanCount === 0) return free ? 'as-is' : [];
    if (free && endsEvent(read) && !(this.#stripUsage && this.#hasEmptyList(read.raw))) return 'as-is';
    const pieces: Buffer[] = [this.#held];
    for (let i = 0; i < read.spanCount; i += 2)
      pieces.push(read.raw.subarray(read.spans[i], read.spans[i + 1]));
    this.#held = nothing;
    return this.#sift(Buffer.concat(pieces));
  }

  #hasEmptyList(bytes: Buffer): boolean {
    if (bytes.length > fewBytes) return bytes.includes(emptyList);
    // What is before its choices was looked at in an earlier event, and an event that has some is none of usage alone.
    let at = hasChoice(bytes, this.#listAt) ? this.#listAt : bytes.indexOf(openBracket);
    if (at >= 0) this.#listAt = at;
    for (; at >= 0; at = bytes.indexOf(openBracket, at + 1)) if (bytes[at + 1] === closeBracket) return true;
    return false;
  }

  /** What is still held back when the stream ends as it should. */
  rest(): Buffer {
    const held = this.#held;
    this.#held = nothing;
    return held;
  }

  #sift(bytes: Buffer): Buffer[] {
    const kept: Buffer[] = [];
    let at = this.#passOn(bytes);
    let runStart = 0;
    while (at < bytes.length) {
      const end = eventEnd(bytes, at);
      const event = bytes.subarray(at, end < 0 ? bytes.length : end);
      const hold = end < 0 && !mayPass(event);
      if (hold || (end >= 0 && this.#stripUsage && isUsageEvent(event))) {
        if (at > runStart) kept.push(bytes.subarray(runStart, at));
        runStart = at + event.length;
        if (hold) this.#held = Buffer.from(event);
      } else if (end < 0 && event.length > maxHeld) this.#passing = Buffer.from(event.subarray(-3));
      at += event.length;
    }
    if (bytes.length > runStart) kept.push(bytes.subarray(runStart));
    return kept;
  }

  /** Where the event that is being passed on ends in these bytes; all of them when it goes on. */
  #passOn(bytes: Buffer): number {
    if (!this.#passing) return 0;
    const seam = Buffer.concat([this.#passing, bytes]);
    const end = eventEnd(seam, 0);
    if (end < 0) {
      this.#passing = Buffer.from(seam.subarray(-3));
      return bytes.length;
    }
    const at = end - this.#passing.length;
    this.#passing = null;
    return Math.max(at, 0);
  }
}

/** A read of one event has few brackets, and the native search for a single byte costs a fraction of that for two. */
const fewBytes = 1024;

/** Whether the list of choices begins at `at` and has something in it. */
function hasChoice(bytes: Buffer, at: number): boolean {
  const key = at - choices.length;
  if (key < 1 || bytes[at] !== openBracket || bytes[at + 1] !== openBrace) return false;
  for (let i = choices.length - 1; i >= 0; i -= 1) if (choices[i] !== bytes[key + i]) return false;
  return bytes[key - 1] !== backslash;
}

/** The read's payload ends where an event ends. */
function endsEvent(read: BodyRead): boolean {
  const end = read.spans[read.spanCount - 1] as number;
  if (end - (read.spans[read.spanCount - 2] as number) < 4 || read.raw[end - 1] !== LF) return false;
  return read.raw[end - 2] === LF || (read.raw[end - 2] === CR && read.raw[end - 3] === LF);
}

/** Offset after the empty line that ends the event beginning at `from`; -1 when it is not there. */
function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** A partial event that need not wait: it is too large, or a whole line of comment, which keeps connections open. */
function mayPass(partial: Buffer): boolean {
  if (partial.length > maxHeld) return true;
  return partial[0] === colon && partial.indexOf(LF) === partial.length - 1;
}

function isUsageEvent(event: Buffer): boolean {
  const text = event.toString('utf8');
  if (!text.includes('"usage"') || !/"choices"\s*:\s*\[\s*\]/.test(text)) return false;
  const data = text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5))
    .join('\n');
  try {
    const value = JSON.parse(data) as { choices?: unknown; usage?: unknown };
    const none = Array.isArray(value.choices) && value.choices.length === 0;
    return none && typeof value.usage === 'object' && value.usage !== null;
  } catch {
    return false;
  }
}
