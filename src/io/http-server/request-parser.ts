import { fieldName } from './field-names.ts';
import { KnownHead } from './known-head.ts';
import { Llhttp, stopParsing, windowBytes } from './llhttp.ts';
import type { LlhttpEvents, Outcome } from './llhttp.ts';
import { pathOfTarget } from './request-target.ts';
import type { RequestHead } from './request-head.ts';

export type MalformedReason = 'malformed' | 'head-too-large' | 'framing-too-large';

/** What came is no HTTP/1 request. The parser cannot go on. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
  readonly reason: MalformedReason;

  constructor(reason: MalformedReason) {
    super(`The request is ${reason}.`);
    this.reason = reason;
  }
}

/** Hears of one request after the other; must not parse itself. */
export interface RequestSink {
  readonly onHead: (head: RequestHead) => void;
  /** The bytes are a part of those given to `push`. */
  readonly onBody: (part: Buffer) => void;
}

/** Target, names and values together, as with Node's server; trailers have as much again. */
const maxHeadBytes = 16 * 1024;
const maxFields = 500;
/** Of a body's chunked framing; each piece of payload has a little of its own. */
const maxFramingBytes = 16 * 1024;
const framingPerPiece = 32;
/** Clients that change their head with each request are not learned from any longer after so many of them. */
const mostLessons = 8;
/** Heads are turned into text in pieces of this size, since most fit. */
const textBytes = 2048;

/** Reads requests out of a connection's bytes, one at a time; knows nothing of sockets. */
export class RequestParser implements LlhttpEvents {
  /** A request has begun and is not whole. */
  underWay = false;
  readonly #llhttp = new Llhttp(this);
  readonly #sink: RequestSink;
  #bytes: Buffer = nothing;
  #base = 0;
  #text = '';
  #textFrom = 0;
  #url = '';
  #field = '';
  #value = '';
  #inValue = false;
  #size = 0;
  #inBody = false;
  #coding: string | null = null;
  #framing = 0;
  /** What comes after this offset, up to the next payload, is framing. */
  #mark = 0;
  #fault: MalformedReason = 'malformed';
  #fields: string[] = [];
  #names: string[] = [];
  #hosts = 0;
  #length: number | null = null;
  #expect: string | null = null;
  /** The head began with the bytes that are parsed now. */
  #began = false;
  /** Where the latest value lies in those bytes, and where that of Content-Length does. */
  #valueAt = 0;
  #lengthAt = 0;
  #lengthEnd = 0;
  #head: RequestHead | null = null;
  #known: KnownHead | null = null;
  #lessons = 0;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /**
   * Takes bytes up to the end of the request; returns how many. Throws MalformedRequest. Whether it is whole then,
   * `underWay` says.
   */
  push(bytes: Buffer): number {
    if (!this.underWay && this.#known) {
      const used = this.#again(bytes, this.#known);
      if (used > 0) return used;
    }
    this.#began = !this.underWay;
    this.#bytes = bytes;
    this.#mark = 0;
    let at = 0;
    while (at < bytes.length) {
      const length = Math.min(bytes.length - at, windowBytes);
      this.#base = at;
      this.#text = '';
      const outcome = this.#execute(at, length);
      at += this.#llhttp.taken;
      if (outcome === 'paused') {
        this.underWay = false;
        break;
      }
    }
    this.#bytes = nothing;
    this.#text = '';
    this.#head = null;
    return at;
  }

  /** A whole request with a head that is known: llhttp, which waits for a request's first byte, need not see it. 0: it must. */
  #again(bytes: Buffer, known: KnownHead): number {
    const bodyAt = known.bodyOf(bytes);
    if (bodyAt < 0) return 0;
    const { head } = known;
    const end = bodyAt + (head.length ?? 0);
    if (end > bytes.length) return 0;
    this.#lessons = 0;
    this.#sink.onHead(head);
    if (end > bodyAt) this.#sink.onBody(bytes.subarray(bodyAt, end));
    return end;
  }

  /** Of a head that came in one read with the beginning of its body. */
  #learn(bodyAt: number): void {
    const head = this.#head;
    this.#head = null;
    if (!head || !this.#began || this.#base > 0 || this.#lessons >= mostLessons) return;
    this.#lessons += 1;
    const digits = { start: this.#lengthAt, end: this.#lengthEnd };
    this.#known = KnownHead.of(head, this.#bytes.subarray(0, bodyAt), digits);
  }

  free(): void {
    this.#llhttp.free();
  }

  #execute(at: number, length: number): Outcome {
    const outcome = this.#llhttp.execute(this.#bytes, at, length);
    if (outcome === 'error') throw new MalformedRequest(this.#fault);
    if (this.#coding !== null && this.#inBody) {
      this.#frame(at + this.#llhttp.taken);
      if (this.#framing > maxFramingBytes) throw new MalformedRequest('framing-too-large');
    }
    return outcome;
  }

  onBegin(): number {
    this.underWay = true;
    this.#inBody = false;
    this.#inValue = false;
    this.#coding = null;
    this.#url = '';
    this.#field = '';
    this.#value = '';
    this.#size = 0;
    this.#framing = 0;
    this.#fields = [];
    this.#names = [];
    this.#hosts = 0;
    this.#length = null;
    this.#expect = null;
    return 0;
  }

  onUrl(at: number, length: number): number {
    this.#url += this.#slice(at, length);
    return this.#grow(length);
  }

  onField(at: number, length: number): number {
    if (this.#inValue) this.#commit();
    this.#field += this.#slice(at, length);
    return this.#grow(length);
  }

  onValue(at: number, length: number): number {
    this.#inValue = true;
    this.#valueAt = this.#base + at;
    this.#mark = this.#base + at + length;
    this.#value += this.#slice(at, length);
    return this.#grow(length);
  }

  onHead(upgrade: boolean, keepAlive: boolean): number {
    if (this.#inValue) this.#commit();
    this.#inBody = true;
    this.#size = 0;
    if (this.#names.length > maxFields) return this.#stop('head-too-large');
    if (!this.#url.startsWith('/')) {
      const host = this.#fields[2 * this.#names.indexOf('host') + 1];
      const path = pathOfTarget(this.#url, host ?? '');
      if (path === null) return this.#stop('malformed');
      this.#url = path;
    }
    this.#head = {
      method: this.#llhttp.method,
      url: this.#url,
      rawHeaders: this.#fields,
      names: this.#names,
      version: this.#llhttp.version,
      keepAlive,
      upgrade,
      hosts: this.#hosts,
      length: this.#length,
      coding: this.#coding,
      expect: this.#expect,
      likeness: null,
    };
    this.#sink.onHead(this.#head);
    return 0;
  }

  onBody(at: number, length: number): number {
    const from = this.#base + at;
    this.#frame(from);
    this.#framing = Math.max(0, this.#framing - framingPerPiece);
    this.#mark = from + length;
    if (this.#head) this.#learn(from);
    this.#sink.onBody(this.#bytes.subarray(from, from + length));
    return 0;
  }

  #frame(to: number): void {
    this.#framing += to - this.#mark;
    this.#mark = to;
  }

  #commit(): void {
    this.#inValue = false;
    const { name, lower, role } = fieldName(this.#field);
    const value = withoutEnd(this.#value);
    this.#field = '';
    this.#value = '';
    // Trailers are not part of the head, and nobody asks for them.
    if (this.#inBody) return;
    this.#fields.push(name, value);
    this.#names.push(lower);
    if (role === 'host') this.#hosts += 1;
    else if (role === 'length') {
      this.#length = Number(value);
      this.#lengthAt = this.#valueAt;
      this.#lengthEnd = this.#mark;
    } else if (role === 'coding') this.#coding = this.#coding === null ? value : `${this.#coding}, ${value}`;
    else if (role === 'expect') this.#expect = value;
  }

  #grow(length: number): number {
    this.#size += length;
    return this.#size > maxHeadBytes ? this.#stop('head-too-large') : 0;
  }

  #stop(reason: MalformedReason): number {
    this.#fault = reason;
    return stopParsing;
  }

  /** Header bytes are latin1. One conversion serves the whole head of a usual request. */
  #slice(at: number, length: number): string {
    const from = this.#base + at;
    if (this.#text === '' || from + length > this.#textFrom + this.#text.length) {
      this.#textFrom = from;
      this.#text = this.#bytes.toString('latin1', from, from + Math.max(length, textBytes));
    }
    return this.#text.slice(from - this.#textFrom, from - this.#textFrom + length);
  }
}

/** llhttp strips the white space before a value, not that behind it. */
function withoutEnd(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charCodeAt(end - 1) === 32 || value.charCodeAt(end - 1) === 9)) end -= 1;
  return end === value.length ? value : value.slice(0, end);
}

const nothing = Buffer.alloc(0);
