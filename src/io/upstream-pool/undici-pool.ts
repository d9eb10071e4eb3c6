import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type {
  BodyRead,
  FailureKind,
  PoolOptions,
  UpstreamHead,
  UpstreamPool,
  UpstreamRequest,
  UpstreamSink,
} from './types.ts';

/** Connections to one https:// upstream, by undici; payload only, the framing is gone. */
export function createUndiciPool(base: URL, options: PoolOptions): UpstreamPool {
  const pool = new Pool(base.origin, {
    pipelining: 1,
    connect: { timeout: options.connectMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
    // One request a connection: what a client leaves is ended by closing, and slots are counted by requests under way.
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: options.idleMs,
    keepAliveTimeout: options.keepMs ?? 4000,
    keepAliveMaxTimeout: options.keepMs ?? 4000,
  });
  const prefix = base.pathname.replace(/\/$/, '');
  return {
    send: (request, sink) => {
      const state: State = { live: true, paused: false, controller: null };
      pool.dispatch(dispatchOptions(prefix, request), handlerOf(state, sink));
      return {
        abort: () => {
          state.live = false;
          state.controller?.abort(new Error('The client has gone.'));
        },
        pause: () => {
          state.paused = true;
          state.controller?.pause();
        },
        resume: () => {
          state.paused = false;
          state.controller?.resume();
        },
      };
    },
    retire: () => void pool.close(),
  };
}

interface State {
  live: boolean;
  paused: boolean;
  controller: Dispatcher.DispatchController | null;
}

function dispatchOptions(prefix: string, request: UpstreamRequest): Dispatcher.DispatchOptions {
  return {
    path: `${prefix}${request.path}`,
    method: request.method,
    headers: [...(request.common?.list ?? []), ...request.headers],
    body: request.body.length === 0 ? null : Buffer.concat(request.body.map(bytesOf)),
  };
}

function bytesOf(part: Buffer | string): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
}

function handlerOf(state: State, sink: UpstreamSink): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => {
      state.controller = controller;
      if (!state.live) controller.abort(new Error('The client has gone.'));
    },
    onResponseStart: (_controller, status, headers) => {
      if (state.live && status >= 200) sink.onHead(toHead(status, headers));
    },
    onResponseData: (controller, chunk) => {
      if (!state.live) return;
      sink.onBody(toRead(chunk));
      if (state.paused) controller.pause();
    },
    onResponseEnd: () => {
      if (!state.live) return;
      state.live = false;
      sink.onEnd();
    },
    onResponseError: (_controller, error) => {
      if (!state.live) return;
      state.live = false;
      const code = (error as NodeJS.ErrnoException).code ?? error.message;
      const kind = failureKind(code);
      const what = kind === 'untrusted' ? 'No TLS connection came about with' : 'The request failed at';
      sink.onFail({ kind, message: `${what} the upstream (${code}).` });
    },
  };
}

function toHead(status: number, headers: Record<string, string | string[] | undefined>): UpstreamHead {
  const flat: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) flat.push(name, one);
  }
  const length = headers['content-length'];
  const type = String(headers['content-type'] ?? '').toLowerCase();
  const bare = status === 204 || status === 304;
  return {
    status,
    headers: flat,
    framing: bare ? 'none' : typeof length === 'string' ? 'length' : 'close',
    length: typeof length === 'string' && !bare ? Number(length) : null,
    eventStream: type.startsWith('text/event-stream'),
    likeness: null,
  };
}

function toRead(chunk: Buffer): BodyRead {
  return { raw: chunk, whole: false, last: false, spans: [0, chunk.length], spanCount: 2 };
}

function failureKind(code: string): FailureKind {
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'connect-timeout';
  if (code === 'UND_ERR_BODY_TIMEOUT') return 'idle-timeout';
  if (code.startsWith('HPE_')) return 'malformed';
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code)) return 'refused';
  return /CERT|TLS|SSL|UNABLE_TO|CRL_|ISSUER|HOSTNAME_MISMATCH/.test(code) ? 'untrusted' : 'reset';
}
