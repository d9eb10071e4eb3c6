import { isLoopback } from '../../domain/loopback.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { Handler, Inbound, Reply } from '../../io/http-server/types.ts';
import { dialectOf } from './endpoints.ts';
import type { OnRefused } from './hosts.ts';
import { requestIdOf } from './request-ids.ts';
import { sendFault } from '../reply/send-fault.ts';

export interface CorsPolicy {
  readonly origins: ReadonlySet<string>;
  /** Requests need no key. */
  readonly anonymous: boolean;
}

const preflightSeconds = 600;
const limits = ['limit', 'remaining', 'reset'].flatMap((what) =>
  ['requests', 'tokens'].map((of) => `x-ratelimit-${what}-${of}`),
);
const marks = ['model', 'origin', 'deployment', 'route', 'upstream'].map((what) => `x-berth-${what}`);
const clients = ['x-request-id', 'request-id', 'retry-after', 'x-should-retry', 'server-timing'];
const exposed = [...clients, ...marks, ...limits].join(', ');

/**
 * Keeps pages out that the operator did not name. A browser tells the page's origin in a header that the page cannot change;
 * programs send none. It lets any page send simple requests and only hides the answers, so leaving out the headers of CORS
 * would let every page use the models unseen: others are refused before anything is done for them.
 */
export function withCors(policyOf: () => CorsPolicy, handler: Handler, onRefused: OnRefused): Handler {
  return (inbound, reply) => {
    const origin = inbound.header('origin');
    if (origin === undefined && !isForeignPage(inbound)) return handler(inbound, reply);
    const policy = policyOf();
    if (origin === undefined || !policy.origins.has(origin)) {
      if (origin !== undefined && isOwnPage(policy, origin, inbound.header('host') ?? ''))
        return handler(inbound, reply);
      const dialect = dialectOf(inbound);
      const requestId = requestIdOf(inbound);
      const fault = refusal(origin ?? 'another site');
      onRefused(inbound, fault, requestId);
      sendFault(reply, fault, { requestId, dialect });
      return undefined;
    }
    const wanted = inbound.header('access-control-request-method');
    if (inbound.method === 'OPTIONS' && wanted !== undefined) return answerPreflight(inbound, reply, origin);
    return handler(inbound, withHeaders(reply, corsHeaders(policy, inbound)));
  };
}

/**
 * Images, scripts, frames and the like of a page send a GET without an origin, and one can load a model. Browsers tell of these by
 * headers that no page can set (Fetch Metadata); a link that a person follows is let through.
 */
function isForeignPage(inbound: Inbound): boolean {
  const site = inbound.header('sec-fetch-site');
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return inbound.header('sec-fetch-mode') !== 'navigate' || inbound.header('sec-fetch-dest') !== 'document';
}

function refusal(origin: string): ApiFault {
  return {
    status: 403,
    type: 'permission_error',
    code: 'origin_not_allowed',
    message: `Pages of ${origin.slice(0, 200)} may not use this gateway. Its operator can name them in gateway.cors.origins.`,
  };
}

/** Without credentials: cookies mean nothing here, and a key is sent by the page itself. */
function allowing(origin: string): string[] {
  return ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'];
}

/** What lets a page of a named origin read the reply; nothing for others. */
export function corsHeaders(policy: CorsPolicy, inbound: Inbound): string[] {
  const origin = inbound.header('origin');
  if (origin === undefined || !policy.origins.has(origin)) return [];
  return [...allowing(origin), 'Access-Control-Expose-Headers', exposed];
}

/** A browser asks whether the page may send what it wants to. No key comes with that. */
function answerPreflight(inbound: Inbound, reply: Reply, origin: string): void {
  const headers = inbound.header('access-control-request-headers') ?? 'authorization, content-type';
  reply.head(204, [
    ...allowing(origin),
    'Access-Control-Allow-Methods',
    'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    'Access-Control-Allow-Headers',
    headers,
    'Access-Control-Max-Age',
    String(preflightSeconds),
  ]);
  reply.end();
}

/**
 * The page comes from the very host that it asks, through a proxy that serves both. Where no key is wanted, only an address counts: a
 * name can be made to resolve to this machine by whoever owns it.
 */
function isOwnPage(policy: CorsPolicy, origin: string, host: string): boolean {
  if (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()) return false;
  const name = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  return !policy.anonymous || isLoopback(name) || /^[\d.]+$|:/.test(name);
}

/** The same reply with more headers, whatever its status. */
function withHeaders(reply: Reply, more: readonly string[]): Reply {
  return {
    get started() {
      return reply.started;
    },
    get finished() {
      return reply.finished;
    },
    canVerbatim: reply.canVerbatim,
    head: (status, headers, options) => reply.head(status, [...headers, ...more], options),
    write: (bytes) => reply.write(bytes),
    drained: () => reply.drained(),
    end: (bytes) => reply.end(bytes),
    abort: () => reply.abort(),
    reset: () => reply.reset(),
  };
}
