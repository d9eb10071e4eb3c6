import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import tls from 'node:tls';
import { systemClock } from '../clock.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { startSweep } from '../upstream-pool/sweep.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import type { HttpInbound } from './inbound.ts';
import { usualLimits } from './limits.ts';
import type { ServerLimits } from './limits.ts';
import { plainRefuser } from './refusals.ts';
import type { HttpReply } from './reply.ts';
import { renewTls, tlsOptions } from './tls.ts';
import type { Handler, Listening, Refuser } from './types.ts';

export { BodyTooLarge } from './body.ts';

export interface ServeOptions {
  readonly limits?: ServerLimits;
  /** Words the replies to what no handler gets; OpenAI's or Anthropic's error shape without it. */
  readonly refuser?: Refuser;
  /** Told of each connection that is cut by `unreadMs`. */
  readonly onUnread?: () => void;
}

/**
 * A plain HTTP/1.1 server: llhttp's strict parser, no time limit on a reply, keep-alive longer than the usual proxies'.
 * Bytes that are no HTTP, and requests that no handler can serve, are refused by `refuser`. Rejects when the
 * port is taken (code EADDRINUSE). With `tls` it speaks nothing but TLS. A handler that throws before the head ends in a bare 500, after it in a cut connection.
 */
export async function serve(
  listen: { address: string; port: number; tls?: TlsMaterial },
  handler: Handler,
  { limits = usualLimits, refuser = plainRefuser, onUnread = () => {} }: ServeOptions = {},
): Promise<Listening> {
  const connections = new Set<Connection>();
  const tickMs = Math.min(1000, limits.headMs / 4, limits.lingerMs / 4);
  const sweep = startSweep(systemClock, tickMs);
  const owner = createOwner(connections, { handler, limits, refuser, onUnread, now: sweep.now });
  sweep.each((now) => {
    for (const connection of connections) connection.check(now);
    owner.setDate();
  });
  const { server, sockets } = createListener(listen.tls, (socket) =>
    connections.add(new Connection(socket, owner)),
  );
  server.listen({ host: listen.address, port: listen.port, backlog: 4096 });
  try {
    await once(server, 'listening');
  } catch (error) {
    sweep.stop();
    throw error;
  }
  const bound = server.address() as AddressInfo;
  let clientCa = listen.tls?.clientCa ?? null;
  return {
    address: bound.address,
    port: bound.port,
    serves: ({ connection }) => connections.has(connection as Connection),
    renewTls: (material) => {
      renewTls(server, material);
      // Who was let in by authorities that are no longer asked would else stay for as long as it likes.
      if (material.clientCa !== clientCa) for (const connection of connections) connection.retire();
      ({ clientCa } = material);
    },
    close: async (graceMs) => {
      owner.closing = true;
      const gone = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) if (connection.idle) connection.leave();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await gone;
      clearTimeout(cut);
      // The listener is done with a socket before that has told its connection, and this its request, that the client has gone.
      while (connections.size > 0) await nextTurn();
      sweep.stop();
    },
  };
}

/** `sockets`: all that are open, those within a handshake too. */
function createListener(
  material: TlsMaterial | undefined,
  onSocket: (socket: Socket) => void,
): { server: net.Server; sockets: Set<Socket> } {
  const sockets = new Set<Socket>();
  const options = {
    noDelay: true,
    allowHalfOpen: true,
    // A client whose machine has vanished says no goodbye.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const server = material
    ? tls.createServer({ ...options, ...tlsOptions(material) }, onSocket)
    : net.createServer(options, onSocket);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy());
  return { server, sockets };
}

interface Owner extends ConnectionOwner {
  closing: boolean;
  readonly setDate: () => void;
}

function createOwner(
  connections: Set<Connection>,
  {
    handler,
    limits,
    refuser,
    onUnread,
    now,
  }: Required<ServeOptions> & { handler: Handler; now: () => number },
): Owner {
  let kept = '';
  let last = '';
  function setDate(): void {
    const date = `Date: ${new Date().toUTCString()}\r\n`;
    if (last.startsWith(date)) return;
    kept = `${date}Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.idleMs / 1000)}\r\n`;
    last = `${date}Connection: close\r\n`;
  }
  setDate();
  return {
    limits,
    refuser,
    onUnread,
    now,
    closing: false,
    setDate,
    commonLines: (keepAlive) => (keepAlive ? kept : last),
    serve: (inbound, reply) => serveOne(handler, inbound, reply),
    onGone: (connection) => connections.delete(connection),
  };
}

function serveOne(handler: Handler, inbound: HttpInbound, reply: HttpReply): void {
  try {
    handler(inbound, reply)?.then(undefined, () => onFault(reply));
  } catch {
    onFault(reply);
  }
}

function onFault(reply: HttpReply): void {
  if (reply.started) {
    if (!reply.finished) reply.abort();
    return;
  }
  reply.head(500, ['Content-Length', '0']);
  reply.end();
}
