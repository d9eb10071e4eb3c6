import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { TextDecoder } from 'node:util';
import { parseJson } from '../domain/json.ts';

/** Where a daemon listens: "unix:///run/docker.sock" or "tcp://box:2375". */
export interface DockerApi {
  readonly where: string;
  /** Rejects on refusal, reset and time-out; any status resolves. */
  readonly ask: (method: string, path: string, how?: DockerQuestion) => Promise<DockerAnswer>;
  /** A reply that is read while it comes: output that is followed, a pull. Ends when the signal aborts. */
  readonly open: (
    method: string,
    path: string,
    how: { signal: AbortSignal; headers?: Readonly<Record<string, string>> },
  ) => Promise<{ status: number; body: AsyncIterable<Uint8Array> }>;
}

export interface DockerQuestion {
  readonly body?: unknown;
  /** From connect to the last byte. */
  readonly timeoutMs?: number;
}

export interface DockerAnswer {
  readonly status: number;
  /** Undefined where the answer is no JSON. */
  readonly json: unknown;
}

const usualTimeoutMs = 20_000;
const maxReplyBytes = 64 * 1024 * 1024;
/** The oldest version that has all that is asked here; newer daemons and podman answer to it. */
const version = 'v1.41';

/** Where a daemon is asked: by its address, or over a stream of bytes that leads to it. */
export type Reached = string | (() => Promise<Duplex>);

/** What a daemon over TLS is asked with, as text of PEM files; the key is a secret. */
export interface TlsMaterial {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** Its certificate has to be of an authority that is trusted. */
  readonly verify: boolean;
}

function secured(
  { ca, cert, key, verify }: TlsMaterial,
  { host }: http.RequestOptions,
): https.RequestOptions {
  return {
    // Else its certificate would be held against the header "host". An address is no name of a server.
    servername: isIP(host ?? '') === 0 ? (host ?? '') : '',
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
    rejectUnauthorized: verify,
  };
}

function placeOf(reached: Reached): http.RequestOptions {
  if (typeof reached === 'function')
    return {
      createConnection: (_options, connected) => {
        reached().then(
          (stream) => connected(null, stream),
          (error: Error) => connected(error, null as never),
        );
        return undefined;
      },
    };
  const url = new URL(reached);
  return url.protocol === 'unix:'
    ? { agent: false, socketPath: decodeURIComponent(url.pathname) }
    : { agent: false, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 2375 };
}

/**
 * A client of its own, since a dozen questions need no library. Each question has a connection of its own. `reached` is where
 * it is asked, `where` its name where that differs: the socket of another machine has a way that changes. `tls`: it is asked over TLS.
 */
export function dockerApi(
  reached: Reached,
  where = typeof reached === 'string' ? reached : '',
  tls: TlsMaterial | null = null,
): DockerApi {
  const place = placeOf(reached);
  const at = { ...place, ...(tls === null ? {} : secured(tls, place)) };
  const { request } = tls === null ? http : https;

  function send(
    method: string,
    path: string,
    how: { body?: unknown; signal: AbortSignal; headers?: Readonly<Record<string, string>> },
  ): Promise<http.IncomingMessage> {
    const text = how.body === undefined ? undefined : JSON.stringify(how.body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...at,
          method,
          path: `/${version}${path}`,
          signal: how.signal,
          headers: {
            host: 'docker',
            ...how.headers,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  async function ask(method: string, path: string, how: DockerQuestion = {}): Promise<DockerAnswer> {
    const signal = AbortSignal.timeout(how.timeoutMs ?? usualTimeoutMs);
    const incoming = await send(method, path, { body: how.body, signal });
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of incoming as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxReplyBytes) throw new Error('The reply is larger than 64 MiB.');
      parts.push(part);
    }
    return { status: incoming.statusCode ?? 0, json: parseJson(Buffer.concat(parts).toString('utf8')) };
  }

  return {
    where,
    ask,
    open: async (method, path, how) => {
      const incoming = await send(method, path, how);
      return { status: incoming.statusCode ?? 0, body: incoming };
    },
  };
}

/** Values of a stream of JSON lines. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncIterable<unknown> {
  const decoder = new TextDecoder();
  let held = '';
  for await (const chunk of body) {
    const lines = (held + decoder.decode(chunk, { stream: true })).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parseJson(line);
  }
  if (held.trim() !== '') yield parseJson(held);
}
