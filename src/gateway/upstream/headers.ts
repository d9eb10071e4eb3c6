import { headerValues } from '../front/header-values.ts';
import type { Dialect } from '../../domain/endpoints.ts';
import { readTraceparent } from '../tracing/traceparent.ts';

/** Meant for one connection only (RFC 9110, 7.6.1), or made anew on each side. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
];

/** Not for the engine: the client's secrets, what only a trusted proxy may say, what would compress or delay. */
const dropFromRequest = new Set([
  ...hopByHop,
  'host',
  'expect',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cookie',
  'accept-encoding',
  'forwarded',
  'x-real-ip',
  'x-request-id',
]);

/** Not for the client: the engine's identity, its clock, its browser policy (the gateway's own counts). */
const dropFromReply = new Set([
  ...hopByHop,
  'server',
  'date',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'x-request-id',
  'request-id',
  'x-should-retry',
  'x-accel-buffering',
]);

/** Headers to an engine that do not vary with the request, names and values in turn. */
export function requestHeaders(
  raw: readonly string[],
  options: {
    /** The engine's own. */
    key: string | null;
    dialect: Dialect;
    /** `ownRequestHeaders` gives a traceparent in place of the client's. */
    traced: boolean;
    /** The body has been read as JSON. */
    json: boolean;
  },
): string[] {
  const named = connectionNames(raw);
  const headers: string[] = [];
  const isRetyped = options.json && !saysJson(raw);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (dropFromRequest.has(name) || name.startsWith('x-forwarded-') || named?.includes(name)) continue;
    if (options.traced && name === 'traceparent') continue;
    // It belongs to a trace that is not gone on with (W3C Trace Context, 3.3.1).
    if (options.traced && name === 'tracestate' && !namesTrace(raw)) continue;
    if (isRetyped && name === 'content-type') continue;
    headers.push(raw[i] as string, raw[i + 1] as string);
  }
  if (isRetyped) headers.push('content-type', 'application/json');
  headers.push('accept-encoding', 'identity');
  if (options.key !== null) {
    headers.push('authorization', `Bearer ${options.key}`);
    // Servers of Anthropic's API look for their key here.
    if (options.dialect === 'anthropic') headers.push('x-api-key', options.key);
  }
  return headers;
}

/**
 * Some servers read a body as a form where its type says so, as `curl -d` does of JSON, and would find another model in it than the one
 * that it was judged by.
 */
function saysJson(raw: readonly string[]): boolean {
  const types = headerValues(raw, 'content-type');
  return types.length === 1 && /^application\/json(?:\s*;\s*charset="?utf-?8"?)?\s*$/i.test(types[0] ?? '');
}

/** Those that name this one request. */
export function ownRequestHeaders(requestId: string, traceparent: string | null): string[] {
  const headers = ['x-request-id', requestId];
  if (traceparent !== null) headers.push('traceparent', traceparent);
  return headers;
}

/**
 * Headers of an engine's reply for the client; those that say how the body ends are the caller's. `limited`: what the client may still
 * take is told by this gateway, and what an API behind it lets the gateway take is not meant for the client.
 */
export function replyHeaders(
  raw: readonly string[],
  options: { eventStream: boolean; limited: boolean },
): string[] {
  const named = connectionNames(raw);
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (dropFromReply.has(name) || name.startsWith('access-control-') || named?.includes(name)) continue;
    // Of another gateway like this one, who marks its replies in the same way.
    if (name.startsWith('x-berth-') || (options.limited && name.startsWith('x-ratelimit-'))) continue;
    if (options.eventStream && name === 'cache-control') continue;
    headers.push(raw[i] as string, raw[i + 1] as string);
  }
  // Proxies in front of us must neither gather nor compress a stream.
  if (options.eventStream) headers.push('Cache-Control', 'no-cache, no-transform', 'X-Accel-Buffering', 'no');
  return headers;
}

/** One header alone says which trace it is, and rightly. */
function namesTrace(raw: readonly string[]): boolean {
  const said = headerValues(raw, 'traceparent');
  return said.length === 1 && readTraceparent(said[0]) !== null;
}

/** What the Connection headers declare as hop-by-hop beyond the usual; null for none. */
function connectionNames(raw: readonly string[]): string[] | null {
  let names: string[] | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const words = (raw[i + 1] as string).toLowerCase().split(',');
    names = [...(names ?? []), ...words.map((word) => word.trim())];
  }
  return names;
}
