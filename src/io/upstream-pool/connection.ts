import net from 'node:net';
import { TurnWriter } from '../turn-writer.ts';
import { MalformedReply } from './chunked.ts';
import { ReplyReader } from './reply-reader.ts';
import type { KnownReplies } from './known-replies.ts';
import type { BodyRead, FailureKind, UpstreamHead, UpstreamRequest, UpstreamSink } from './types.ts';

/** One exchange, through possibly two connections (a stale one, then a fresh one). */
export interface Job {
  readonly request: UpstreamRequest;
  readonly sink: UpstreamSink;
  live: boolean;
  paused: boolean;
  connection: Connection | null;
}

/** What a connection tells its pool. */
export interface ConnectionOwner {
  readonly now: () => number;
  readonly known: KnownReplies;
  /** The reply is whole; `reusable` says whether the connection may carry another request. */
  readonly onFree: (connection: Connection, reusable: boolean) => void;
  readonly onFailed: (connection: Connection, job: Job, kind: FailureKind, message: string) => void;
  readonly onGone: (connection: Connection) => void;
}

/** All connections read into this one; otherwise Node makes a buffer of 64 KiB for every read and shrinks it. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One socket to an upstream and the request it carries. States: connecting → (busy ⇄ unused) → gone.
 * Any byte or end that comes while it is unused makes it gone.
 */
export class Connection implements UpstreamSink {
  readonly socket: net.Socket;
  readonly #out: TurnWriter;
  /** Since when it waits: for the connect, for the next read, or for its next request. */
  since: number;
  connecting = true;
  job: Job | null = null;
  served = 0;
  /** No byte of the reply to the present request has come. */
  untouched = true;
  keepMs: number | null = null;
  maxRequests: number | null = null;
  /** The latest reply was an event stream. */
  streamed = false;
  #reader: ReplyReader | null = null;
  #error: NodeJS.ErrnoException | null = null;
  readonly #owner: ConnectionOwner;
  readonly #isLive: () => boolean = () => this.job?.live === true;

  constructor(owner: ConnectionOwner, target: { host: string; port: number }) {
    this.#owner = owner;
    this.since = owner.now();
    this.socket = net.connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (size) => {
          // A copy, since what is forwarded may be written out later.
          const bytes = Buffer.allocUnsafe(size);
          readBuffer.copy(bytes, 0, 0, size);
          this.#onData(bytes);
          return true;
        },
      },
    });
    this.#out = new TurnWriter(this.socket);
    this.socket
      .on('connect', () => {
        this.connecting = false;
        this.since = owner.now();
      })
      .on('end', () => this.#onEnd())
      .on('error', (error) => (this.#error = error))
      .on('close', () => this.#onClose());
  }

  get begun(): boolean {
    return this.#reader?.begun === true;
  }

  /** `pieces`: the request as it goes over the wire; strings are latin1. */
  start(job: Job, pieces: readonly (string | Uint8Array)[]): void {
    this.job = job;
    job.connection = this;
    this.#reader = new ReplyReader(this, job.request.method, this.#owner.known);
    this.untouched = true;
    this.since = this.#owner.now();
    if (job.paused) this.socket.pause();
    const [only] = pieces;
    if (pieces.length === 1 && typeof only === 'string') {
      this.#out.write(only);
      return;
    }
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece, 'latin1');
    this.socket.uncork();
  }

  /** Ends it with a reason of our own (a time limit). */
  fail(kind: FailureKind, message: string): void {
    const job = this.job;
    this.#drop();
    if (job?.live) this.#owner.onFailed(this, job, kind, message);
  }

  /** The pool's way to let go of an unused or aborted connection. */
  destroy(): void {
    this.#drop();
  }

  onHead(head: UpstreamHead): void {
    this.job?.sink.onHead(head);
  }

  onBody(read: BodyRead): void {
    this.job?.sink.onBody(read);
  }

  /** Told once this connection is free: what follows from a reply's end may need one at once. */
  onEnd(): void {}

  onFail(): void {}

  #drop(): void {
    this.job = null;
    this.#reader = null;
    this.socket.destroy();
  }

  #onData(bytes: Buffer): void {
    const reader = this.#reader;
    if (!reader || !this.job) {
      this.socket.destroy();
      return;
    }
    this.untouched = false;
    this.since = this.#owner.now();
    try {
      reader.push(bytes, this.#isLive);
    } catch (error) {
      if (!(error instanceof MalformedReply)) throw error;
      this.fail('malformed', error.message);
      return;
    }
    if (reader.done && this.#reader === reader) this.#release(reader);
  }

  #release(reader: ReplyReader): void {
    const { job } = this;
    const head = reader.head;
    const live = job?.live === true;
    if (job) job.live = false;
    this.job = null;
    this.#reader = null;
    this.served += 1;
    this.keepMs = head?.keepMs ?? null;
    this.maxRequests = head?.maxRequests ?? null;
    this.streamed = head?.eventStream ?? false;
    this.since = this.#owner.now();
    // A reply that came before the request was fully sent leaves the connection in the middle of a message.
    const reusable =
      head !== null &&
      head.keepAlive &&
      head.framing !== 'close' &&
      !reader.surplus &&
      this.#out.empty &&
      this.#out.settled &&
      !this.socket.destroyed &&
      (this.maxRequests === null || this.served < this.maxRequests);
    if (reusable) this.socket.resume();
    this.#owner.onFree(this, reusable);
    if (live) job?.sink.onEnd();
  }

  #onEnd(): void {
    const reader = this.#reader;
    if (reader && this.job?.live && reader.finish()) this.#release(reader);
  }

  #onClose(): void {
    const job = this.job;
    const error = this.#error;
    const connecting = this.connecting;
    this.job = null;
    this.#reader = null;
    this.#owner.onGone(this);
    if (!job?.live) return;
    const reason = error?.code ?? error?.message ?? 'closed';
    if (connecting) this.#owner.onFailed(this, job, 'refused', `The connection failed (${reason}).`);
    else this.#owner.onFailed(this, job, 'reset', `The upstream ended the connection (${reason}).`);
  }
}
