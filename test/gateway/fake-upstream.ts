import net from 'node:net';
import tls from 'node:tls';

/** A request as the fake engine got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Buffer;
  /** Number of the connection it came on, from 0. */
  readonly connection: number;
  /** The gateway closed the connection before the reply was whole. */
  cut: boolean;
}

/** What a script may do with one request. */
export interface Turn {
  readonly request: SeenRequest;
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>;
  readonly write: (bytes: string | Uint8Array) => void;
  /** A chunked head; then `chunk`, then `endChunks`. */
  readonly stream: (headers?: string) => void;
  readonly chunk: (payload: string | Uint8Array) => void;
  readonly endChunks: () => void;
  readonly json: (status: number, value: unknown, headers?: string) => void;
  /** The reply is whole: the next request of the connection is read. */
  readonly done: () => void;
  readonly close: () => void;
  readonly reset: () => void;
}

export type Script = (turn: Turn) => void | Promise<void>;

export interface FakeUpstream {
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  /** Connections ever made. */
  readonly connections: () => number;
  /** Connections now. */
  readonly open: () => number;
  /** Bytes of replies that nobody has taken yet. */
  readonly unsent: () => number;
  readonly setScript: (script: Script) => void;
  /** From now on each connection that is unused for so long is closed, as the usual engines do after five seconds. */
  readonly closeUnusedAfter: (ms: number) => void;
  /** Closes all connections, as an engine does with those that are unused for too long. */
  readonly closeUnused: () => void;
  readonly stop: () => Promise<void>;
}

/** Certificate and key of a fake engine behind TLS, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A server at the level of the wire: what it sends, and when it breaks, is the script's business. */
export async function startFakeUpstream(
  first: Script,
  port = 0,
  identity: Identity | null = null,
): Promise<FakeUpstream> {
  let script = first;
  const seen: SeenRequest[] = [];
  const sockets = new Set<net.Socket>();
  let count = 0;
  let unusedMs = 0;
  function serve(socket: net.Socket): void {
    const connection = count;
    count += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.setTimeout(unusedMs);
    readRequests(socket, connection, (turn) => {
      seen.push(turn.request);
      void script(turn);
    });
  }
  const server = identity
    ? tls.createServer({ noDelay: true, ...identity }, serve)
    : net.createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as net.AddressInfo).port;
  return {
    url: `${identity ? 'https' : 'http'}://127.0.0.1:${bound}`,
    port: bound,
    seen,
    connections: () => count,
    open: () => sockets.size,
    unsent: () => [...sockets].reduce((sum, socket) => sum + socket.writableLength, 0),
    setScript: (next) => (script = next),
    closeUnusedAfter: (ms) => {
      unusedMs = ms;
      for (const socket of sockets) socket.setTimeout(ms);
    },
    closeUnused: () => {
      for (const socket of sockets) socket.end();
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function readRequests(socket: net.Socket, connection: number, onTurn: (turn: Turn) => void): void {
  let buffer = Buffer.alloc(0);
  let busy: { request: SeenRequest } | null = null;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('timeout', () => {
    if (!busy) socket.end();
  });
  socket.on('close', () => {
    if (busy) busy.request.cut = true;
  });
  function next(): void {
    const end = buffer.indexOf('\r\n\r\n');
    if (busy || end < 0) return;
    const [line = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((text) => [
        text.slice(0, text.indexOf(':')).toLowerCase(),
        text.slice(text.indexOf(':') + 1).trim(),
      ]),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (buffer.length < end + 4 + length) return;
    const bytes = Buffer.from(buffer.subarray(end + 4, end + 4 + length));
    const body = bytes.toString('utf8');
    buffer = buffer.subarray(end + 4 + length);
    const [method = '', path = ''] = line.split(' ');
    const request: SeenRequest = { method, path, headers, body, bytes, connection, cut: false };
    busy = { request };
    onTurn(
      turnOf(socket, request, closed, () => {
        busy = null;
        next();
      }),
    );
  }
  socket.on('data', (bytes) => {
    buffer = Buffer.concat([buffer, bytes]);
    next();
  });
}

function turnOf(socket: net.Socket, request: SeenRequest, closed: Promise<void>, done: () => void): Turn {
  function write(bytes: string | Uint8Array): void {
    if (!socket.destroyed) socket.write(bytes);
  }
  const turn: Turn = {
    request,
    closed,
    write,
    stream: (headers = 'Content-Type: text/event-stream\r\n') =>
      write(`HTTP/1.1 200 OK\r\n${headers}Transfer-Encoding: chunked\r\n\r\n`),
    chunk: (payload) => write(chunkOf(payload)),
    endChunks: () => {
      write('0\r\n\r\n');
      done();
    },
    json: (status, value, headers = '') => {
      const body = JSON.stringify(value);
      write(
        `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      done();
    },
    done,
    close: () => {
      done();
      socket.end();
    },
    reset: () => {
      done();
      if (socket instanceof tls.TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    },
  };
  return turn;
}

export function chunkOf(payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** One event of a chat stream. */
export function chatEvent(content: string): string {
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'engine-model', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
}

export const usageEvent = `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'engine-model', choices: [], usage })}\n\n`;
export const doneEvent = 'data: [DONE]\n\n';

/** What `wellBehaved` streams to a client that did not ask for usage. */
export const wholeStream = ['Hel', 'lo', '!'].map(chatEvent).join('') + doneEvent;

/** Answers as a well-behaved engine does; three pieces of text, usage when asked for. */
export function wellBehaved(turn: Turn): void {
  const { path, body } = turn.request;
  const asked =
    body === ''
      ? {}
      : (JSON.parse(body) as { stream?: boolean; stream_options?: { include_usage?: boolean } });
  if (asked.stream) {
    turn.stream();
    for (const text of ['Hel', 'lo', '!']) turn.chunk(chatEvent(text));
    if (asked.stream_options?.include_usage) turn.chunk(usageEvent);
    turn.chunk(doneEvent);
    turn.endChunks();
  } else turn.json(200, plainReply(path));
}

function plainReply(path: string): unknown {
  const base = { id: 'r1', created: 1, model: 'engine-model', usage };
  if (path === '/v1/embeddings')
    return { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.5] }], ...base };
  const choice = { index: 0, finish_reason: 'stop' };
  if (path === '/v1/completions')
    return { object: 'text_completion', choices: [{ ...choice, text: 'Hello!' }], ...base };
  return {
    object: 'chat.completion',
    choices: [{ ...choice, message: { role: 'assistant', content: 'Hello!' } }],
    ...base,
  };
}
