import type { Socket } from 'node:net';

/** Text of one turn that is kept back at the most; beyond it the writer is told to wait. */
const enough = 64 * 1024;

/** Nothing is kept back longer in a turn that has so much to do. */
const longestMs = 1;

/** Those that have something to write at the end of this turn. */
let waiting: TurnWriter[] = [];
/** When the first of them was given it. */
let since = 0;

/**
 * Keeps what is written to a socket until the end of the event loop's turn, or for a millisecond of it, so that the writes of all sockets go out one
 * behind the other: whoever reads them is then woken once for many, which costs the kernel much less than once for each.
 * What must not overtake it (a write past this one, the socket's end or its destruction) calls `flush` first.
 */
export class TurnWriter {
  readonly #socket: Socket;
  /** The usual single piece as it came; further ones are joined to it as text. */
  #kept: string | Uint8Array = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing is kept back. */
  get empty(): boolean {
    return this.#kept === '';
  }

  /** Bytes or latin1 text, not empty. False: wait until the socket has drained. */
  write(piece: string | Uint8Array): boolean {
    if (this.#kept === '') {
      this.#kept = piece;
      toFlush(this);
    } else this.#kept = latin1(this.#kept) + latin1(piece);
    return !this.#socket.writableNeedDrain && this.#kept.length < enough;
  }

  flush(): void {
    const kept = this.#kept;
    if (kept === '') return;
    this.#kept = '';
    if (!this.#socket.destroyed) this.#socket.write(kept, 'latin1');
  }
}

function toFlush(writer: TurnWriter): void {
  const count = waiting.push(writer);
  if (count === 1) {
    since = performance.now();
    setImmediate(flushAll);
  } else if (count % 8 === 0 && performance.now() - since > longestMs) flushAll();
}

/** Writes what all have kept back. */
export function flushAll(): void {
  const writers = waiting;
  waiting = [];
  for (const writer of writers) writer.flush();
}

/** Keeps every byte, and joins cheaply. */
export function latin1(piece: Uint8Array | string): string {
  if (typeof piece === 'string') return piece;
  const bytes =
    piece instanceof Buffer ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  return bytes.toString('latin1');
}
