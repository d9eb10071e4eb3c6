import http from 'node:http';
import https from 'node:https';
import { endWith } from '../end-with.ts';
import { proxyFor } from '../proxy.ts';
import { ProxyFault, checkProxyReply, forwarded, tunnelAgent } from '../proxy-route.ts';
import { GaveUp } from './faults.ts';
import type { Range } from './parts.ts';

/** Where bytes are asked for. The headers may hold a token: they go to the origin of `url` and to no other. */
export interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM: the authorities that are trusted, in place of the usual ones. */
  readonly ca?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Read to its end or left early, which closes the connection. Rejects where the connection breaks or stalls. */
  readonly body: AsyncIterable<Buffer>;
}

export interface Connector extends Disposable {
  /** `ifTag` is a strong entity tag: a server that has another file then sends it whole. */
  readonly get: (
    address: Address,
    range: Range | null,
    ifTag: string | null,
    signal: AbortSignal,
  ) => Promise<Reply>;
}

const mostRedirects = 8;

export interface ConnectorOptions {
  /** A reply that brings nothing for so long is broken off. */
  readonly stallMs: number;
  readonly connections: number;
  /** Names the proxies that are asked. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Lines extends Pick<ConnectorOptions, 'stallMs' | 'env'> {
  readonly agentFor: (secure: boolean, proxy: string | null) => http.Agent;
}

/** Connections that are kept for the next part. */
export function createConnector({ stallMs, connections, env }: ConnectorOptions): Connector {
  const options = { keepAlive: true, maxSockets: connections, timeout: stallMs };
  const agents = new Map<string, http.Agent>();
  function agentFor(secure: boolean, proxy: string | null): http.Agent {
    const name = `${secure} ${proxy}`;
    const agent = agents.get(name) ?? newAgent(secure, proxy, options);
    agents.set(name, agent);
    return agent;
  }
  return {
    get: async (address, range, ifTag, signal) => {
      const asked = {
        ...(range === null ? {} : { range: `bytes=${range.from}-${range.to}` }),
        ...(range === null || ifTag === null ? {} : { 'if-range': ifTag }),
        // A packed reply has other bytes than those that were asked for.
        'accept-encoding': 'identity',
      };
      let { url, headers } = address;
      for (let redirects = 0; ; redirects += 1) {
        const reply = await send(
          { agentFor, stallMs, env },
          { ...address, url, headers: { ...headers, ...asked } },
          signal,
        );
        const next = redirectOf(reply, url);
        if (next === null) return unpacked(reply);
        if (redirects === mostRedirects) {
          await leave(reply);
          throw new GaveUp(`it redirects more than ${mostRedirects} times`);
        }
        await discard(reply);
        if (next.protocol === 'http:' && url.startsWith('https:'))
          throw new GaveUp(`it redirects from https to ${next.origin}, which is not safe`);
        if (!/^https?:$/.test(next.protocol))
          throw new GaveUp(`it redirects to ${next.protocol}, which is no web address`);
        if (next.origin !== new URL(url).origin) headers = {};
        url = next.href;
      }
    },
    [Symbol.dispose]: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function newAgent(
  secure: boolean,
  proxy: string | null,
  options: https.AgentOptions & { timeout: number },
): http.Agent {
  if (secure) return proxy === null ? new https.Agent(options) : tunnelAgent(proxy, options);
  return proxy?.startsWith('https:') ? new https.Agent(options) : new http.Agent(options);
}

function redirectOf({ status, headers }: Reply, from: string): URL | null {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return null;
  return URL.canParse(headers.location, from) ? new URL(headers.location, from) : null;
}

const packings = /^(?:(?:x-)?(?:gzip|compress)|deflate|br|zstd|dcb|dcz)$/i;

/**
 * A server that packs all the same has other bytes, another length and other ranges than the file. Stores also tell what an upload
 * once said of itself, as "aws-chunked" or "utf-8", which changes nothing.
 */
async function unpacked(reply: Reply): Promise<Reply> {
  const packing = reply.headers['content-encoding'] ?? '';
  const packs = packing.split(',').some((coding) => packings.test(coding.trim()));
  if (!packs || reply.status >= 300) return reply;
  await leave(reply);
  throw new GaveUp(`it sends the file packed (${packing}), though it was asked not to`);
}

/** Closes the connection of a reply that is not wanted. */
export async function leave({ body }: Reply): Promise<void> {
  for await (const _ of body) break;
}

async function discard({ body }: Reply): Promise<void> {
  let size = 0;
  for await (const part of body) if ((size += part.length) > 64 * 1024) break;
}

function send(lines: Lines, address: Address, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { url, headers, ca } = address;
    const secure = url.startsWith('https:');
    const proxy = proxyFor(lines.env, url);
    const plain = proxy === null || secure ? { url, options: { headers } } : forwarded(proxy, url, headers);
    const options = {
      ...plain.options,
      signal,
      agent: lines.agentFor(secure, proxy),
      ...(ca === undefined ? {} : { ca }),
    };
    let coming: http.IncomingMessage | null = null;
    const outgoing = (plain.url.startsWith('https:') ? https : http).get(plain.url, options, (incoming) => {
      coming = incoming;
      const reply = { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
      try {
        checkProxyReply(proxy, reply.status);
        resolve(reply);
      } catch (error) {
        incoming.destroy();
        reject(endless(error as Error));
      }
    });
    outgoing.setTimeout(lines.stallMs, () =>
      // Whoever reads a body is told what ended it by that alone.
      (coming ?? outgoing).destroy(new Error(`nothing came for ${lines.stallMs / 1000} s`)),
    );
    outgoing.on('error', (error) => reject(endless(error)));
    endWith(signal, outgoing, reject);
  });
}

/** What a proxy refuses, it refuses again. */
function endless(error: Error): Error {
  const final = error instanceof ProxyFault && error.status !== null && error.status < 500;
  return final ? new GaveUp(error.message, { cause: error }) : error;
}
