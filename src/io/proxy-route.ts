import http from 'node:http';
import https from 'node:https';
import { isIPv6 } from 'node:net';
import type net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';

/** The proxy gives no way to the server. The message has no name or password of it. */
export class ProxyFault extends Error {
  override readonly name = 'ProxyFault';
  /** What the proxy answers; null where it does not. */
  readonly status: number | null;

  constructor(proxy: string, status: number | null, reason: string, options?: ErrorOptions) {
    super(`the proxy ${new URL(proxy).host} ${reason}`, options);
    this.status = status;
  }
}

/** Nothing of a server is known where the proxy itself wants a name and password. */
export function checkProxyReply(proxy: string | null, status: number | undefined): void {
  if (proxy !== null && status === 407)
    throw new ProxyFault(proxy, status, 'wants a name and password, or others (407)');
}

/** A request for an http:// address that the proxy is asked for: where it goes, and what changes of it. */
export function forwarded(
  proxy: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): { readonly url: string; readonly options: http.RequestOptions } {
  const there = new URL(url);
  const { username, password, host, pathname, search } = there;
  const own = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const way = new URL(proxy);
  return {
    url: way.origin,
    options: {
      path: `http://${host}${pathname}${search}`,
      headers: { ...headers, host, ...proxyHeaders(way) },
      ...(own === ':' ? {} : { auth: own }),
    },
  };
}

/** Connections to https:// servers, each through a tunnel that the proxy opens. `destroy` also ends those that are being opened. */
export function tunnelAgent(proxy: string, options: https.AgentOptions & { timeout: number }): https.Agent {
  const agent = new https.Agent(options);
  const opening = new Set<http.ClientRequest>();
  const destroyOpen = agent.destroy.bind(agent);
  agent.createConnection = (target, done) => {
    const asked = askForTunnel(proxy, target, options.timeout);
    opening.add(asked);
    asked.once('close', () => opening.delete(asked));
    asked.once('connect', (reply: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
      try {
        checkTunnel(proxy, target, reply.statusCode ?? 0);
      } catch (error) {
        socket.destroy();
        done?.(error as Error, socket);
        return;
      }
      if (head.length > 0) socket.unshift(head);
      done?.(null, tls.connect({ ...(target as tls.ConnectionOptions), socket }));
    });
    asked.once('error', (cause) => {
      const fault = new ProxyFault(proxy, null, `opens no way: ${cause.message}`, { cause });
      done?.(fault, new Duplex());
    });
    asked.end();
    return null;
  };
  agent.destroy = () => {
    for (const asked of opening) asked.destroy();
    destroyOpen();
  };
  return agent;
}

/** CONNECT (RFC 9110, 9.3.6), on a connection of its own. */
function askForTunnel(proxy: string, target: http.ClientRequestArgs, timeoutMs: number): http.ClientRequest {
  const way = new URL(proxy);
  const authority = authorityOf(target);
  const asked = (way.protocol === 'https:' ? https : http).request(way.origin, {
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyHeaders(way) },
    agent: false,
  });
  asked.setTimeout(timeoutMs, () =>
    asked.destroy(new Error(`nothing came for ${Math.round(timeoutMs / 1000)} s`)),
  );
  return asked;
}

function checkTunnel(proxy: string, target: http.ClientRequestArgs, status: number): void {
  checkProxyReply(proxy, status);
  if (status < 200 || status > 299)
    throw new ProxyFault(proxy, status, `opens no way to ${authorityOf(target)}: it answers ${status}`);
}

function authorityOf({ host, port }: http.ClientRequestArgs): string {
  return `${isIPv6(host ?? '') ? `[${host}]` : host}:${port ?? 443}`;
}

function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const told = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(told).toString('base64')}` };
}
