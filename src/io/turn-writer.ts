import type { Socket } from 'node:net';

/** Text of one turn that is kept back at the most; beyond it the writer is told to wait. */
const enough = 64 * 1024;

/** Nothing is kept back longer in a turn that has so much to do. */
const longestMs = 1;

/** What waits for more that it could go out with, such as a head for its body. */
export interface Owed {
  readonly flush: () => void;
}

/** Those that have something to write at the end of this turn. */
let waiting: TurnWriter[] = [];
/** When the first of them was given it, and when that was last looked at. */
let since = 0;
let latest = 0;

/**
 * Keeps what is written to a socket until the end of the event loop's turn, or for a millisecond of it, so that the
 * writes of all sockets go out one behind the other: whoever reads them is then woken once for many, which costs the
 * kernel much less than once for each. What must not overtake it (the socket's end or its destruction) calls `flush`
 * first, and what has to follow it is written by `through`.
 *
 * As long as nothing is under way it goes through the socket's `_write`, past the stream's bookkeeping, which costs as
 * much again as Node's part of the write; the stream's state is not even looked at, since of a stream among many that is
 * memory which has left the processor's cache. What the kernel does not take at once is then known here alone: ask
 * `ready` and `settled`, not the socket.
 */
export class TurnWriter {
  readonly #socket: Socket;
  readonly #onReady: () => void;
  /** One that encrypts needs its stream's order of events. */
  readonly #direct: boolean;
  /** The usual single piece as it came; further ones are joined to it as text. */
  #kept: string | Uint8Array = '';
  /** The kernel has not taken all of a write past the stream. */
  #underWay = false;
  #late = false;
  /** Something was given to the stream itself, which may not have passed all of it on yet. */
  #streamed = false;
  #owed: Owed | null = null;
  /** It is among those that write at the end of this turn. */
  #listed = false;

  /** `onReady`: called when `ready` may be true again after such a write; the socket's "drain" tells of the others. */
  constructor(socket: Socket, onReady: () => void = () => {}) {
    this.#socket = socket;
    this.#onReady = onReady;
    this.#direct = !('encrypted' in socket);
  }

  /** Nothing is kept back. */
  get empty(): boolean {
    return this.#kept === '';
  }

  /** What was flushed is out of our hands. */
  get settled(): boolean {
    return !this.#underWay && this.#socket.writableLength === 0;
  }

  /** Bytes that the kernel has not taken, as far as can be known: it gets less while a slow client reads. */
  get left(): number {
    const socket = this.#socket as Socket & {
      readonly _handle?: { readonly writeQueueSize?: number } | null;
    };
    return this.#kept.length + socket.writableLength + (socket._handle?.writeQueueSize ?? 0);
  }

  /** What is written now would not have to wait for the reader. */
  get ready(): boolean {
    return !this.#underWay && !(this.#streamed && this.#socket.writableNeedDrain);
  }

  /** Bytes or latin1 text, not empty. False: wait until `ready`. */
  write(piece: string | Uint8Array): boolean {
    if (this.#kept === '') {
      this.#kept = piece;
      this.#list();
    } else this.#kept = latin1(this.#kept) + latin1(piece);
    return this.ready && this.#kept.length < enough;
  }

  /** Large pieces, each as it is, behind what was kept; text is latin1. False: wait until `ready`. */
  through(...pieces: readonly (string | Uint8Array)[]): boolean {
    this.flush();
    const socket = this.#socket;
    if (socket.destroyed) return true;
    this.#streamed = true;
    socket.cork();
    for (const piece of pieces) socket.write(piece, 'latin1');
    socket.uncork();
    return this.ready;
  }

  /** Has `owed` write what it has by the time of the next flush. */
  owe(owed: Owed): void {
    this.#owed = owed;
    this.#list();
  }

  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    toFlush(this);
  }

  /** At the end of the turn. */
  flushListed(): void {
    this.#listed = false;
    this.flush();
  }

  flush(): void {
    const owed = this.#owed;
    if (owed) {
      this.#owed = null;
      owed.flush();
    }
    const kept = this.#kept;
    if (kept === '') return;
    this.#kept = '';
    const socket = this.#socket;
    if (this.#streamed && this.settled) this.#streamed = false;
    if (!this.#direct || this.#underWay || this.#streamed) {
      this.#streamed = true;
      if (!socket.destroyed) socket.write(kept, 'latin1');
      return;
    }
    this.#underWay = true;
    socket._write(kept, typeof kept === 'string' ? 'latin1' : asBytes, this.#written);
    this.#late = this.#underWay;
  }

  readonly #written = (error?: Error | null): void => {
    this.#underWay = false;
    if (error) this.#socket.destroy(error);
    if (!this.#late) return;
    this.#late = false;
    this.#onReady();
  };
}

/** What a stream tells its `_write` of bytes; it is no encoding of text. */
const asBytes = 'buffer' as BufferEncoding;

function toFlush(writer: TurnWriter): void {
  const count = waiting.push(writer);
  if (count === 1) {
    since = latest = performance.now();
    setImmediate(flushAll);
  } else if (count % 8 === 0) {
    latest = performance.now();
    if (latest - since > longestMs) flushAll();
  }
}

/** Monotonic milliseconds for what happens again and again, such as events: within a turn that writes, when it was last looked at. */
export function aboutNow(): number {
  return waiting.length > 0 ? latest : performance.now();
}

/** Writes what all have kept back. */
export function flushAll(): void {
  const writers = waiting;
  waiting = [];
  for (const writer of writers) writer.flushListed();
}

/** Keeps every byte, and joins cheaply. */
export function latin1(piece: Uint8Array | string): string {
  if (typeof piece === 'string') return piece;
  const bytes =
    piece instanceof Buffer ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  return bytes.toString('latin1');
}
