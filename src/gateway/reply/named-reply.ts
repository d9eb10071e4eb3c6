import type { BodyRead } from '../../io/upstream-pool/types.ts';
import { ScanFault, scanObject } from '../front/scan.ts';
import type { Span } from '../front/scan.ts';
import type { EventFilter } from './event-filter.ts';
import type { Sieve } from './sieve.ts';

/*
 * Puts the name that a client asked for in the place of the one that its engine wrote, in replies and in the events of a stream. All
 * other bytes stay: nothing is parsed and written again. What cannot be read for certain passes as it came.
 */

const LF = 10;
const CR = 13;
const space = 32;
const quote = 34;
const openBrace = 123;
const mark = Buffer.from('"model"');
const data = Buffer.from('data:');
/** Where events of Responses and of Anthropic's Messages have what they tell of. */
const around = ['response', 'message'];
/** A reply larger than this is not held back for a name. */
const mostHeld = 8 * 1024 * 1024;

/** Events, whole ones as the filter passes them on. */
export class NamedEvents implements Sieve {
  readonly #filter: EventFilter;
  readonly #name: Buffer;
  /** A line of an event too large to be held back is under way. */
  #inLine = false;

  constructor(filter: EventFilter, name: string) {
    this.#filter = filter;
    this.#name = Buffer.from(JSON.stringify(name));
  }

  get betweenEvents(): boolean {
    return this.#filter.betweenEvents;
  }

  push(read: BodyRead): readonly Buffer[] {
    const passed = this.#filter.push(read);
    const bytes = Buffer.concat(passed === 'as-is' ? piecesOf(read) : passed);
    return bytes.length === 0 ? [] : [this.#named(bytes)];
  }

  rest(): Buffer {
    return this.#filter.rest();
  }

  #named(bytes: Buffer): Buffer {
    const from = this.#inLine ? bytes.indexOf(LF) + 1 || bytes.length : 0;
    this.#inLine = bytes.at(-1) !== LF;
    return bytes.includes(mark, from) ? namedLines(bytes, from, this.#name) : bytes;
  }
}

/** A reply of JSON: it is held back until it is whole, since its name may come last. */
export class NamedReply implements Sieve {
  readonly betweenEvents = true;
  readonly #name: Buffer;
  #held: Buffer[] = [];
  #bytes = 0;

  constructor(name: string) {
    this.#name = Buffer.from(JSON.stringify(name));
  }

  push(read: BodyRead): readonly Buffer[] {
    this.#held.push(...piecesOf(read));
    this.#bytes += read.raw.length;
    if (this.#bytes <= mostHeld) return [];
    const held = this.#held;
    this.#held = [];
    return held;
  }

  rest(): Buffer {
    const body = Buffer.concat(this.#held);
    return this.#bytes > mostHeld ? body : namedJson(body, this.#name);
  }
}

function piecesOf({ raw, spans, spanCount }: BodyRead): Buffer[] {
  const pieces: Buffer[] = [];
  for (let i = 0; i < spanCount; i += 2) pieces.push(raw.subarray(spans[i], spans[i + 1]));
  return pieces;
}

function namedLines(bytes: Buffer, from: number, name: Buffer): Buffer {
  const parts = [bytes.subarray(0, from)];
  for (let at = from; at < bytes.length;) {
    const feed = bytes.indexOf(LF, at);
    const next = feed < 0 ? bytes.length : feed + 1;
    const end = feed < 0 ? at : bytes[feed - 1] === CR ? feed - 1 : feed;
    let start = at + data.length;
    while (bytes[start] === space) start += 1;
    if (start < end && bytes.subarray(at, at + data.length).equals(data))
      parts.push(
        bytes.subarray(at, start),
        namedJson(bytes.subarray(start, end), name),
        bytes.subarray(end, next),
      );
    else parts.push(bytes.subarray(at, next));
    at = next;
  }
  return Buffer.concat(parts);
}

function namedJson(json: Buffer, name: Buffer): Buffer {
  const span = json.includes(mark) ? modelIn(json) : null;
  if (!span) return json;
  return Buffer.concat([json.subarray(0, span.start), name, json.subarray(span.end)]);
}

function modelIn(json: Buffer): Span | null {
  try {
    const found = scanObject(json, ['model', ...around]);
    const own = found.get('model');
    if (own) return json[own.start] === quote ? own : null;
    for (const key of around) {
      const outer = found.get(key);
      if (!outer || json[outer.start] !== openBrace) continue;
      const inner = scanObject(json.subarray(outer.start, outer.end), ['model']).get('model');
      if (inner && json[outer.start + inner.start] === quote)
        return { start: outer.start + inner.start, end: outer.start + inner.end };
    }
    return null;
  } catch (error) {
    if (error instanceof ScanFault) return null;
    throw error;
  }
}
