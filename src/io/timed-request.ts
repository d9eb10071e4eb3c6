import http from 'node:http';
import https from 'node:https';

/** One read of an answer's body. Times are µs of the clock that the client was made with. */
export interface TimedRead {
  readonly at: number;
  readonly bytes: Buffer;
}

export type ExchangeFault = 'connect' | 'tls' | 'timeout' | 'reset' | 'truncated' | 'malformed' | 'cut';

/** A request as it went over the wire: stamps and bytes, nothing parsed. */
export interface Exchange {
  /** A connection was asked for, was there, and the last byte of the request was written. */
  readonly started: number;
  readonly connected: number | null;
  readonly sent: number | null;
  readonly headers: number | null;
  readonly reads: readonly TimedRead[];
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
  reads: TimedRead[];
  done: number;
  status: number | null;
  contentType: string;
  fault: { kind: ExchangeFault; message: string } | null;
}

/** How long a server may hold a connection open after `[DONE]` before it is closed from this side. */
const lingerMs = 50;
const doneLine = /(?:^|[\r\n])data: ?\[DONE\]/;

interface Wire {
  readonly baseUrl: string;
  readonly secure: boolean;
  readonly agent: http.Agent;
  readonly now: () => number;
  reads: number;
}

/**
 * The measuring client: every read is stamped at once and kept; parsing comes after the exchange.
 * `now` gives µs of a monotonic clock.
 */
export function createTimedClient(baseUrl: string, now: () => number): TimedClient {
  const secure = baseUrl.startsWith('https:');
  const agent = new (secure ? https : http).Agent({ keepAlive: true, scheduling: 'lifo' });
  const wire: Wire = { baseUrl, secure, agent, now, reads: 0 };
  return {
    send: (request) => exchange(wire, request, emptyDraft(now()), true),
    reads: () => wire.reads,
    close: () => agent.destroy(),
  };
}

/** `again`: a kept connection that the server had closed meanwhile is no fault of the server; tried anew once. */
function exchange(wire: Wire, request: TimedRequest, draft: Draft, again: boolean): Promise<Exchange> {
  return new Promise((resolve) => {
    const outgoing = (wire.secure ? https : http).request(`${wire.baseUrl}${request.path}`, {
      method: 'POST',
      agent: wire.agent,
      headers: { ...request.headers, 'content-length': String(request.body.length) },
    });
    const cut = cutter(outgoing, request);
    let over = false;
    function end(fault: Draft['fault']): void {
      if (over) return;
      over = true;
      cut.dispose();
      draft.fault = cut.reason() ?? fault;
      if (draft.done === 0 || draft.fault) draft.done = wire.now();
      resolve(draft);
    }
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) draft.connected = wire.now();
      else socket.once(wire.secure ? 'secureConnect' : 'connect', () => (draft.connected = wire.now()));
    });
    outgoing.on('finish', () => (draft.sent = wire.now()));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && draft.status === null && isReset(error) && !cut.reason();
      if (stale && again && !over) {
        over = true;
        cut.dispose();
        resolve(exchange(wire, request, { ...draft, connected: null, sent: null }, false));
      } else end(faultOf(error, draft));
    });
    outgoing.on('response', (incoming) => {
      draft.headers = wire.now();
      draft.status = incoming.statusCode ?? 0;
      draft.contentType = incoming.headers['content-type'] ?? '';
      collect(wire, incoming, draft, end);
    });
    outgoing.end(request.body);
  });
}

function collect(
  wire: Wire,
  incoming: http.IncomingMessage,
  draft: Draft,
  end: (fault: Draft['fault']) => void,
): void {
  const streamed = draft.contentType.includes('event-stream');
  let tail = '';
  incoming.on('data', (bytes: Buffer) => {
    const at = wire.now();
    draft.reads.push({ at, bytes });
    wire.reads += 1;
    if (!streamed || draft.done !== 0) return;
    tail = (tail + bytes.toString('latin1', Math.max(0, bytes.length - 48))).slice(-64);
    if (!doneLine.test(tail)) return;
    draft.done = at;
    setTimeout(() => {
      if (!incoming.complete) incoming.destroy();
      end(null);
    }, lingerMs);
  });
  incoming.on('end', () => end(null));
  // After [DONE] nothing is missing, however the connection ends.
  incoming.on('error', (error) => end(draft.done === 0 ? faultOf(error, draft) : null));
}

function emptyDraft(started: number): Draft {
  return {
    started,
    connected: null,
    sent: null,
    headers: null,
    reads: [],
    done: 0,
    status: null,
    contentType: '',
    fault: null,
  };
}

/** Ends a request by time-out or from outside, and remembers which it was. */
function cutter(
  outgoing: http.ClientRequest,
  request: TimedRequest,
): { reason: () => Draft['fault']; dispose: () => void } {
  let reason: Draft['fault'] = null;
  function cut(kind: ExchangeFault, message: string): void {
    reason ??= { kind, message };
    outgoing.destroy(new Error(message));
  }
  const timer = setTimeout(() => cut('timeout', `No end within ${request.timeoutMs} ms.`), request.timeoutMs);
  function onAbort(): void {
    cut('cut', 'Cut by the benchmark.');
  }
  if (request.signal.aborted) queueMicrotask(onAbort);
  request.signal.addEventListener('abort', onAbort, { once: true });
  return {
    reason: () => reason,
    dispose: () => {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', onAbort);
    },
  };
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

function faultOf(error: NodeJS.ErrnoException, draft: Draft): NonNullable<Draft['fault']> {
  const code = error.code ?? '';
  const message = error.message;
  if (code.startsWith('HPE_')) return { kind: 'malformed', message };
  if (draft.connected === null) {
    const tls = /TLS|SSL|CERT|SIGNED|SIGNATURE|EPROTO|ISSUER/.test(code);
    return {
      kind: tls ? 'tls' : 'connect',
      message: code && !message.includes(code) ? `${code}: ${message}` : message,
    };
  }
  // Node reports a body that ends early as ECONNRESET "aborted" too; only a real reset names the system call.
  const reset = isReset(error) && (error.syscall !== undefined || draft.status === null);
  return { kind: reset ? 'reset' : 'truncated', message };
}
