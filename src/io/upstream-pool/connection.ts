import type { Socket } from 'node:net';
import { TurnWriter } from '../turn-writer.ts';
import { MalformedReply } from './chunked.ts';
import type { Dial } from './dial.ts';
import { ReplyReader } from './reply-reader.ts';
import type { KnownReplies } from './known-replies.ts';
import type {
  BodyRead,
  FailureKind,
  UpstreamFailure,
  UpstreamHead,
  UpstreamRequest,
  UpstreamSink,
} from './types.ts';

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
  readonly onFailed: (connection: Connection, job: Job, failure: UpstreamFailure) => void;
  /** The upstream has answered: by a connection, or by a whole reply. */
  readonly onHeard: () => void;
  readonly onGone: (connection: Connection) => void;
}

/**
 * One socket to an upstream and the request it carries. States: connecting → (busy ⇄ unused) → gone.
 * Any byte or end that comes while it is unused makes it gone.
 */
export class Connection implements UpstreamSink {
  readonly socket: Socket;
  readonly #out: TurnWriter;
  /** Since when it waits: for the connect, for the next read, or for its next request. */
  since: number;
  connecting = true;
  /** The upstream's machine has taken the connection, be it without TLS yet. */
  reached = false;
  job: Job | null = null;
  served = 0;
  /** No byte of the reply to the present request has come. */
  untouched = true;
  keepMs: number | null = null;
  maxRequests: number | null = null;
  /** The latest reply was an event stream. */
  streamed = false;
  /** The request, until it may be sent: nobody gets it who has not shown a good certificate. */
  #held: readonly (string | Uint8Array)[] = [];
  #reader: ReplyReader | null = null;
  #error: NodeJS.ErrnoException | null = null;
  readonly #owner: ConnectionOwner;
  readonly #isLive: () => boolean = () => this.job?.live === true;

  constructor(owner: ConnectionOwner, dial: Dial) {
    this.#owner = owner;
    this.since = owner.now();
    this.socket = dial({ onReady: () => this.#onReady(), onBytes: (bytes) => this.#onData(bytes) });
    this.#out = new TurnWriter(this.socket);
    this.socket
      .on('connect', () => this.#onReached())
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
    if (this.connecting) this.#held = pieces;
    else this.#send(pieces);
  }

  #onReached(): void {
    this.reached = true;
    this.#owner.onHeard();
  }

  #onReady(): void {
    this.connecting = false;
    this.since = this.#owner.now();
    this.#send(this.#held);
    this.#held = [];
  }

  #send(pieces: readonly (string | Uint8Array)[]): void {
    const [only] = pieces;
    if (pieces.length === 1 && typeof only === 'string') {
      this.#out.write(only);
      return;
    }
    this.#out.through(...pieces);
  }

  /** Ends it with a reason of our own (a time limit). */
  fail(kind: FailureKind, message: string, code?: string): void {
    const job = this.job;
    this.#drop();
    if (job?.live) this.#owner.onFailed(this, job, { kind, message, code });
  }

  /** Its machine has gone: no other connection to it would do better. */
  lose(): void {
    this.untouched = false;
    this.fail('reset', "The upstream's machine cannot be reached any more.");
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
    this.#owner.onHeard();
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
    const { connecting, untouched } = this;
    const code = this.#error?.code;
    const reason = code ?? this.#error?.message ?? 'closed';
    this.job = null;
    this.#reader = null;
    this.#owner.onGone(this);
    if (!job?.live) return;
    const noTls = (connecting || untouched) && tlsReason.test(reason);
    const kind = noTls ? 'untrusted' : connecting ? 'refused' : 'reset';
    this.#owner.onFailed(this, job, { kind, message: `${endings[kind]} (${reason}).`, code });
  }
}

const endings = {
  untrusted: 'No TLS connection came about with the upstream',
  refused: 'The connection failed',
  reset: 'The upstream ended the connection',
} as const;

/** Codes by which a handshake fails; a server that wants a certificate of ours says so once we count as connected. */
const tlsReason = /CERT|TLS|SSL|EPROTO|UNABLE_TO|CRL_|ISSUER|HOSTNAME_MISMATCH/;
