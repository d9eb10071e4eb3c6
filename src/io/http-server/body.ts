import type { BodyOptions } from './types.ts';

/** The body is larger than the caller of `body` allows. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** `fits` or `take` said no. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
}

/** The client went, or broke the framing, before the body was whole. */
export class BodyBroken extends Error {
  override readonly name = 'BodyBroken';
}

/** What a connection does for the body that comes over it. */
export interface BodySource {
  /** Tells a client that waits with Expect: 100-continue to send. */
  readonly proceed: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
  /** From now on what comes is thrown away. */
  readonly onDropped: () => void;
}

/** Who reads the body. */
interface Reader {
  readonly limitBytes: number;
  readonly take: ((bytes: number) => boolean) | undefined;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** How much is kept of a body that nobody reads yet. */
const unreadBytes = 64 * 1024;

/**
 * The body of one request. States: coming → whole, or broken; and of what comes: kept until it is read → read → dropped
 * (after a refusal, and when the reply has ended before it).
 */
export class RequestBody {
  whole = false;
  /** Bytes that were dropped; null as long as the body is wanted. */
  dropped: number | null = null;
  readonly #source: BodySource;
  readonly #announced: number | null;
  /** The usual body is one part, and needs no list. */
  #parts: Buffer | Buffer[] | null = null;
  #size = 0;
  #reader: Reader | null = null;
  #broken = false;

  constructor(source: BodySource, announced: number | null) {
    this.#source = source;
    this.#announced = announced;
  }

  /** See `Inbound.body`. */
  read(limitBytes: number, options: BodyOptions | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const reader = { limitBytes, take: options?.take, resolve, reject };
      if (this.#broken) {
        reject(new BodyBroken('The client went before the body was whole.'));
        return;
      }
      const announced = this.#announced ?? 0;
      if (announced > limitBytes) this.#refuse(reader, new BodyTooLarge('Content-Length is over the limit.'));
      else if (options?.fits && !options.fits(announced)) this.#refuse(reader, noRoom());
      else this.#begin(reader);
    });
  }

  /** See `Inbound.wholeBody`. */
  readWhole(limitBytes: number, options: BodyOptions | undefined): Buffer | null {
    const only = this.#parts;
    if (!this.whole || only === null || Array.isArray(only) || only.length > limitBytes) return null;
    if (options?.fits?.(only.length) === false || options?.take?.(only.length) === false) return null;
    this.#parts = null;
    return only;
  }

  push(part: Buffer): void {
    if (this.dropped !== null) {
      this.dropped += part.length;
      return;
    }
    if (this.#parts === null) this.#parts = part;
    else if (Array.isArray(this.#parts)) this.#parts.push(part);
    else this.#parts = [this.#parts, part];
    this.#size += part.length;
    if (this.#reader) this.#check(this.#reader, part.length);
    else if (this.#size > unreadBytes) this.#source.pause();
  }

  finish(): void {
    this.whole = true;
    if (this.#reader) this.#settle(this.#reader);
  }

  /** Nothing more comes. */
  fail(): void {
    if (this.whole) return;
    this.#broken = true;
    this.#reader?.reject(new BodyBroken('The client went before the body was whole.'));
    this.#reader = null;
  }

  /** What comes from now on is read and thrown away: closing at once would reset the connection, and the client would lose the reply. */
  drop(): void {
    if (this.dropped !== null) return;
    this.dropped = 0;
    this.#parts = null;
    this.#source.onDropped();
  }

  #begin(reader: Reader): void {
    for (const part of listOf(this.#parts)) {
      if (reader.take && !reader.take(part.length)) {
        this.#refuse(reader, noRoom());
        return;
      }
    }
    if (this.#size > reader.limitBytes) {
      this.#refuse(reader, tooLarge());
      return;
    }
    if (this.whole) {
      this.#settle(reader);
      return;
    }
    this.#reader = reader;
    this.#source.proceed();
    this.#source.resume();
  }

  #check(reader: Reader, bytes: number): void {
    if (this.#size > reader.limitBytes) this.#refuse(reader, tooLarge());
    else if (reader.take && !reader.take(bytes)) this.#refuse(reader, noRoom());
  }

  #settle(reader: Reader): void {
    const parts = this.#parts;
    this.#reader = null;
    this.#parts = null;
    reader.resolve(parts !== null && !Array.isArray(parts) ? parts : Buffer.concat(listOf(parts)));
  }

  #refuse(reader: Reader, error: Error): void {
    this.#reader = null;
    this.drop();
    reader.reject(error);
  }
}

function listOf(parts: Buffer | Buffer[] | null): readonly Buffer[] {
  if (parts === null) return [];
  return Array.isArray(parts) ? parts : [parts];
}

function tooLarge(): BodyTooLarge {
  return new BodyTooLarge('The body is over the limit.');
}

function noRoom(): BodyRefused {
  return new BodyRefused('There is no room for this body.');
}
