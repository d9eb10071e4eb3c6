import { emptyBody } from './timed-body.ts';
import type { BodyDraft, TimedBody } from './timed-body.ts';
import { TimedConnection } from './timed-connection.ts';
import type { ExchangeEvents, TimedOrigin } from './timed-connection.ts';
import { MalformedReply } from './upstream-pool/chunked.ts';
import type { UpstreamHead } from './upstream-pool/types.ts';

export type ExchangeFault = 'connect' | 'tls' | 'timeout' | 'reset' | 'truncated' | 'malformed' | 'cut';

/** A request as it went over the wire: stamps and bytes, nothing parsed. */
export interface Exchange {
  /** A connection was asked for, was there, and the last byte of the request was written. */
  readonly started: number;
  readonly connected: number | null;
  readonly sent: number | null;
  readonly headers: number | null;
  readonly body: TimedBody;
  readonly done: number;
  readonly status: number | null;
  readonly contentType: string;
  readonly fault: { readonly kind: ExchangeFault; readonly message: string } | null;
}

export interface TimedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** Cuts the exchange; it then ends with the fault `cut`. */
  readonly signal: AbortSignal;
}

export interface TimedClient {
  /** Never rejects: a fault is a result. Connections are kept and used again. */
  readonly send: (request: TimedRequest) => Promise<Exchange>;
  /** Reads of bodies so far, over all exchanges: a cheap sign of life for progress. */
  readonly reads: () => number;
  readonly close: () => void;
}

interface Draft {
  started: number;
  connected: number | null;
  sent: number | null;
  headers: number | null;
  body: TimedBody;
  done: number;
  status: number | null;
  contentType: string;
  streamed: boolean;
  fault: Exchange['fault'];
}

/** How long a server may hold a connection open after `[DONE]` before it is closed from this side. */
const lingerMs = 50;
/** More is no answer: a server that floods must not take this machine's memory. */
const mostBytes = 16 * 2 ** 20;

interface Wire {
  readonly origin: TimedOrigin;
  readonly now: () => number;
  readonly free: TimedConnection[];
  readonly all: Set<TimedConnection>;
  readonly headStart: string;
  readonly basePath: string;
  readonly cuts: Cuts;
  reads: number;
}

/**
 * The measuring client: every read is stamped at once and kept; parsing comes after the exchange. It speaks HTTP/1.1
 * itself, since a general client costs several times more for each read. `now` gives µs of a monotonic clock.
 */
export function createTimedClient(baseUrl: string, now: () => number): TimedClient {
  const url = new URL(baseUrl);
  const secure = url.protocol === 'https:';
  const wire: Wire = {
    origin: {
      secure,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (secure ? 443 : 80),
    },
    now,
    free: [],
    all: new Set(),
    headStart: ` HTTP/1.1\r\nhost: ${url.host}\r\nconnection: keep-alive\r\n`,
    basePath: url.pathname.replace(/\/$/, ''),
    cuts: createCuts(),
    reads: 0,
  };
  return {
    send: (request) =>
      new Promise((resolve) => {
        new Carriage(wire, request, { resolve, draft: emptyDraft(now()), again: true }).begin();
      }),
    reads: () => wire.reads,
    close: () => {
      for (const connection of wire.all) connection.destroy();
    },
  };
}

interface Attempt {
  readonly resolve: (exchange: Exchange) => void;
  readonly draft: Draft;
  /** A kept connection that the server had closed meanwhile is no fault of the server: tried anew once. */
  readonly again: boolean;
}

/** One request on its way over one connection. */
class Carriage implements ExchangeEvents {
  readonly #wire: Wire;
  readonly #request: TimedRequest;
  readonly #attempt: Attempt;
  readonly #connection: TimedConnection;
  readonly #kept: boolean;
  readonly #timer: NodeJS.Timeout;
  #linger: NodeJS.Timeout | undefined;
  #over = false;

  constructor(wire: Wire, request: TimedRequest, attempt: Attempt) {
    this.#wire = wire;
    this.#request = request;
    this.#attempt = attempt;
    const kept = attempt.again ? takeFree(wire) : undefined;
    this.#kept = kept !== undefined;
    this.#connection = kept ?? connect(wire);
    const { timeoutMs } = request;
    this.#timer = setTimeout(() => this.#stop('timeout', `No end within ${timeoutMs} ms.`), timeoutMs);
  }

  begin(): void {
    this.#wire.cuts.add(this.#request.signal, this);
    this.#connection.begin(this);
  }

  cut(): void {
    this.#stop('cut', 'Cut by the benchmark.');
  }

  onConnected(at: number): void {
    this.#attempt.draft.connected = at;
    this.#connection.write(bytesOf(this.#wire, this.#request));
  }

  onSent(at: number): void {
    this.#attempt.draft.sent = at;
  }

  onHead(head: UpstreamHead, at: number): void {
    const { draft } = this.#attempt;
    draft.headers = at;
    draft.status = head.status;
    draft.contentType = headerOf(head.headers, 'content-type');
    draft.streamed = head.eventStream;
  }

  onRead(body: BodyDraft, at: number): void {
    const { draft } = this.#attempt;
    draft.body = body;
    this.#wire.reads += 1;
    if (body.length > mostBytes)
      return this.#stop('malformed', `The answer is longer than ${mostBytes / 2 ** 20} MiB.`);
    if (draft.done !== 0 || !draft.streamed || !body.saysDone()) return;
    draft.done = at;
    // After [DONE] nothing is missing, however the connection ends.
    this.#linger = setTimeout(() => {
      this.#connection.destroy();
      this.#end(null, at);
    }, lingerMs);
  }

  onEnd(at: number): void {
    this.#end(null, at);
  }

  onLost(error: NodeJS.ErrnoException | null, touched: boolean, at: number): void {
    const { draft } = this.#attempt;
    if (this.#kept && !touched && isReset(error)) {
      if (!this.#leave()) return;
      const again = { ...draft, connected: null, sent: null };
      new Carriage(this.#wire, this.#request, { ...this.#attempt, draft: again, again: false }).begin();
    } else this.#end(draft.done === 0 ? faultOf(error, draft, this.#wire.origin.secure) : null, at);
  }

  #stop(kind: ExchangeFault, message: string): void {
    this.#connection.destroy();
    this.#end({ kind, message }, this.#wire.now());
  }

  #end(fault: Exchange['fault'], at: number): void {
    if (!this.#leave()) return;
    const { draft, resolve } = this.#attempt;
    draft.fault = fault;
    if (draft.done === 0 || fault) draft.done = at;
    resolve(draft);
  }

  /** False when it had left already. */
  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#linger);
    this.#wire.cuts.remove(this.#request.signal, this);
    return true;
  }
}

/** The one that was used last: it is the least likely to have been closed. */
function takeFree(wire: Wire): TimedConnection | undefined {
  for (;;) {
    const connection = wire.free.pop();
    if (!connection || connection.usable) return connection;
  }
}

function connect(wire: Wire): TimedConnection {
  const connection = new TimedConnection(wire.origin, wire.now, {
    onFree: (free) => wire.free.push(free),
    onGone: (gone) => wire.all.delete(gone),
  });
  wire.all.add(connection);
  return connection;
}

const badHeader = /[\r\n\0]/;

function bytesOf(wire: Wire, { path, headers, body }: TimedRequest): Buffer {
  let head = `POST ${wire.basePath}${path}${wire.headStart}`;
  for (const [name, value] of Object.entries(headers)) {
    if (badHeader.test(value)) throw new TypeError(`The value of the header ${name} has a line end in it.`);
    head += `${name}: ${value}\r\n`;
  }
  head += `content-length: ${body.length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}

function headerOf(headers: readonly string[], name: string): string {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.toLowerCase() === name) return headers[i + 1] ?? '';
  return '';
}

interface Cuts {
  readonly add: (signal: AbortSignal, carriage: Carriage) => void;
  readonly remove: (signal: AbortSignal, carriage: Carriage) => void;
}

/** One listener for each signal, whatever the number of requests in flight: a signal finds a listener by search. */
function createCuts(): Cuts {
  const known = new WeakMap<AbortSignal, Set<Carriage>>();
  function groupOf(signal: AbortSignal): Set<Carriage> {
    let group = known.get(signal);
    if (!group) {
      const all = (group = new Set());
      known.set(signal, all);
      signal.addEventListener('abort', () => all.forEach((each) => each.cut()), { once: true });
    }
    return group;
  }
  return {
    add: (signal, carriage) => {
      groupOf(signal).add(carriage);
      if (signal.aborted) queueMicrotask(() => carriage.cut());
    },
    remove: (signal, carriage) => void known.get(signal)?.delete(carriage),
  };
}

function emptyDraft(started: number): Draft {
  return {
    started,
    connected: null,
    sent: null,
    headers: null,
    body: emptyBody,
    done: 0,
    status: null,
    contentType: '',
    streamed: false,
    fault: null,
  };
}

function isReset(error: NodeJS.ErrnoException | null): boolean {
  return error === null || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

function faultOf(
  error: NodeJS.ErrnoException | null,
  { connected, status }: Draft,
  secure: boolean,
): NonNullable<Exchange['fault']> {
  if (error instanceof MalformedReply) return { kind: 'malformed', message: error.message };
  const code = error?.code ?? '';
  const message = error?.message ?? 'The server closed the connection.';
  if (connected === null) {
    const untrusted = secure && /TLS|SSL|CERT|SIGNED|SIGNATURE|EPROTO|ISSUER/.test(code);
    return {
      kind: untrusted ? 'tls' : 'connect',
      message: code && !message.includes(code) ? `${code}: ${message}` : message,
    };
  }
  if (error) return { kind: isReset(error) ? 'reset' : 'truncated', message };
  return status === null
    ? { kind: 'reset', message: 'The server closed the connection without an answer.' }
    : { kind: 'truncated', message: 'The server closed the connection in the middle of its answer.' };
}
