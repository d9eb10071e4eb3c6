import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { NodeInbound } from './inbound.ts';
import { answerConnect, answerMalformed } from './malformed.ts';
import { refusalOf, refusals, refuse } from './refusals.ts';
import { NodeReply } from './reply.ts';
import { renewTls, tlsOptions } from './tls.ts';
import type { TlsMaterial } from '../tls/material.ts';
import type { Handler, Listening } from './types.ts';

export { BodyTooLarge } from './body.ts';

/**
 * A plain HTTP/1.1 server: Node's strict parser, no time limit on a reply, keep-alive longer than the usual proxies'.
 * Bytes that are no HTTP, and requests that no handler can serve, are refused in OpenAI's error shape. Rejects when the port is taken (code EADDRINUSE).
 * With `tls` it speaks nothing but TLS. A handler that throws before the head ends in a bare 500, after it in a cut connection.
 */
export async function serve(
  listen: { address: string; port: number; tls?: TlsMaterial },
  handler: Handler,
): Promise<Listening> {
  const options = {
    keepAliveTimeout: 75_000,
    headersTimeout: 80_000,
    requestTimeout: 0,
    noDelay: true,
    // We look ourselves: Node refuses with an empty body.
    requireHostHeader: false,
  };
  const server = listen.tls
    ? https.createServer({ ...options, ...tlsOptions(listen.tls) })
    : http.createServer(options);
  server.timeout = 0;
  let closing = false;
  function onRequest(request: http.IncomingMessage, response: http.ServerResponse, waits: boolean): void {
    const refusal = refusalOf(request);
    if (refusal) {
      refuse(response, refusal);
      return;
    }
    const inbound = new NodeInbound(request, response, waits);
    // A client that waits for 100-continue and is refused has not sent its body: the connection cannot be used again.
    const reply = new NodeReply(request, response, () => closing || inbound.waiting);
    Promise.resolve(handler(inbound, reply)).catch(() => {
      if (reply.started) reply.abort();
      else {
        reply.head(500, ['Content-Length', '0']);
        reply.end();
      }
    });
  }
  server.on('request', (request, response) => onRequest(request, response, false));
  server.on('checkContinue', (request, response) => onRequest(request, response, true));
  server.on('checkExpectation', (_, response) => refuse(response, refusals.expectation));
  server.on('connect', (_, socket) => answerConnect(socket));
  server.on('clientError', answerMalformed);
  server.listen({ host: listen.address, port: listen.port, backlog: 4096 });
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    renewTls: (material) => renewTls(server, material),
    close: (graceMs) => {
      closing = true;
      return close(server, graceMs);
    },
  };
}

async function close(server: http.Server, graceMs: number): Promise<void> {
  const gone = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // Connections that were busy at first become idle one by one; Node would keep them for the keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await gone;
  clearInterval(sweep);
  clearTimeout(cut);
}
