import http from 'node:http';
import https from 'node:https';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { parseJson } from '../../domain/json.ts';
import type { HttpReply, HttpRequest } from '../http.ts';
import type { World } from '../world.ts';
import type { KubeAccess } from './kube-config.ts';
import { credentialsOf } from './login.ts';
import type { Credentials } from './login.ts';

/** A server of Kubernetes, by the context that it was reached with. */
export interface KubeApi {
  readonly context: string;
  readonly server: string;
  /** Throws KUBE_UNREACHABLE, KUBE_UNAUTHORIZED and what logging in throws; any other status is an answer. */
  readonly ask: (method: string, path: string, how?: KubeQuestion) => Promise<KubeAnswer>;
  /** A question that the server passes on to a pod: any status is an answer, be it the server's or the pod's. */
  readonly pass: (path: string, question: HttpRequest) => Promise<HttpReply>;
  /** A reply that is read while it comes: output of a pod. Ends when the signal aborts. */
  readonly open: (
    path: string,
    signal: AbortSignal,
  ) => Promise<{ status: number; body: AsyncIterable<Uint8Array> }>;
}

export interface KubeQuestion {
  readonly body?: unknown;
  readonly contentType?: string;
  /** In which form the answer is wanted; absent: JSON. */
  readonly accept?: string;
  readonly timeoutMs?: number;
}

export interface KubeAnswer {
  readonly status: number;
  /** Undefined where the answer is no JSON. */
  readonly json: unknown;
}

const usualTimeoutMs = 30_000;
const maxReplyBytes = 64 * 1024 * 1024;

/** A client of its own: a dozen questions need no library of 80 MB, which takes more than a second to load. */
export function kubeApi(world: World, access: KubeAccess): KubeApi {
  const { server, context } = access;
  const send = senderOf(access);
  const credentials = credentialsOf(world, access);

  async function begin(
    method: string,
    path: string,
    {
      body,
      contentType = 'application/json',
      accept = 'application/json',
      signal,
    }: KubeQuestion & { signal: AbortSignal },
  ): Promise<http.IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (let again = false; ; again = true) {
      const who = await credentials(again);
      const question = { method, path, text, contentType, accept, who, signal };
      const incoming = await send(question).catch((error: unknown) => {
        throw signal.aborted && !isTimeout(signal) ? error : unreachable(server, error);
      });
      if (incoming.statusCode !== 401) return incoming;
      incoming.resume();
      // What a plugin gave can be void before its time.
      if (again || !access.plugin) throw new BerthError('KUBE_UNAUTHORIZED', { server, context });
    }
  }

  return {
    context,
    server,
    ask: async (method, path, how = {}) => {
      const signal = AbortSignal.timeout(how.timeoutMs ?? usualTimeoutMs);
      const incoming = await begin(method, path, { ...how, signal });
      const text = await textOf(incoming).catch((error: unknown) => {
        throw unreachable(server, error);
      });
      return { status: incoming.statusCode ?? 0, json: parseJson(text) };
    },
    pass: async (path, { method = 'GET', headers = {}, body, timeoutMs, signal }) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      const incoming = await send({
        method,
        path,
        text: body === undefined ? undefined : Buffer.from(body).toString('utf8'),
        contentType: headers['content-type'] ?? 'application/json',
        accept: headers['accept'] ?? '*/*',
        headers,
        who: await credentials(false),
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      });
      const text = await textOf(incoming);
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
    },
    open: async (path, signal) => {
      const incoming = await begin('GET', path, { signal });
      return { status: incoming.statusCode ?? 0, body: incoming };
    },
  };
}

interface Sending {
  readonly method: string;
  readonly path: string;
  readonly text: string | undefined;
  readonly contentType: string;
  readonly accept: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly who: Credentials;
  readonly signal: AbortSignal;
}

/** Connections are kept for the next question; idle ones keep no process alive. */
function senderOf(access: KubeAccess): (question: Sending) => Promise<http.IncomingMessage> {
  const url = new URL(access.server);
  const secure = url.protocol === 'https:';
  const agents = { https: new https.Agent({ keepAlive: true }), http: new http.Agent({ keepAlive: true }) };
  return ({ method, path, text, contentType, accept, headers, who, signal }) => {
    const options: https.RequestOptions = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (secure ? 443 : 80),
      method,
      path: `${url.pathname.replace(/\/$/, '')}${path}`,
      signal,
      headers: {
        ...headers,
        accept,
        'user-agent': 'berth',
        ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
        ...(text === undefined
          ? {}
          : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = secure
        ? https.request({ ...options, agent: agents.https, ...tlsOf(access, who) }, resolve)
        : http.request({ ...options, agent: agents.http }, resolve);
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  };
}

function tlsOf({ ca, insecure, serverName }: KubeAccess, who: Credentials): https.RequestOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(who.certificate === undefined ? {} : { cert: who.certificate }),
    ...(who.key === undefined ? {} : { key: who.key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
}

async function textOf(incoming: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxReplyBytes) throw new Error('the reply is larger than 64 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function isTimeout({ reason }: AbortSignal): boolean {
  return (reason as Error | undefined)?.name === 'TimeoutError';
}

function unreachable(server: string, error: unknown): BerthError {
  const { code, name, message, cause } = error as NodeJS.ErrnoException;
  const late = name === 'TimeoutError' || name === 'AbortError' || isTimeoutError(cause);
  const reason = late ? 'it does not answer in time' : (code ?? message).replace(/\.$/, '');
  return new BerthError('KUBE_UNREACHABLE', { server, reason }, { cause: error });
}

function isTimeoutError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'TimeoutError';
}
