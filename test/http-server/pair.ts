import http from 'node:http';
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { Connection } from '../../src/io/http-server/connection.ts';
import type { ConnectionOwner } from '../../src/io/http-server/connection.ts';
import { usualLimits } from '../../src/io/http-server/limits.ts';
import { plainRefuser } from '../../src/io/http-server/refusals.ts';

/** A request as a server's handler saw it, its body whole. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export interface Served {
  readonly seen: readonly Seen[];
  /** All that the server wrote. */
  readonly written: string;
}

/** Bytes in memory in place of a socket: what a server does with them is then a matter of turns, not of time. */
class Wire extends Duplex {
  written = '';

  override _read(): void {}

  override _write(part: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += part.toString('latin1');
    done();
  }
}

/** Has both servers read the same bytes, each in pieces of its own. */
export async function serveOurs(pieces: readonly Buffer[]): Promise<Served> {
  const seen: Seen[] = [];
  const owner: ConnectionOwner = {
    limits: usualLimits,
    refuser: plainRefuser,
    now: () => 0,
    closing: false,
    commonLines: () => '',
    onUnread: () => {},
    onGone: () => {},
    serve: (inbound, reply) => {
      inbound.body(1 << 20).then(
        (body) => {
          const { method, url, rawHeaders } = inbound;
          seen.push({ method, url, headers: rawHeaders, body: body.toString('latin1') });
          reply.head(200, []);
          reply.end('ok');
        },
        () => {},
      );
    },
  };
  const wire = new Wire({ allowHalfOpen: true });
  const connection = new Connection(wire as unknown as Socket, owner);
  await feed(wire, pieces);
  connection.socket.destroy();
  return { seen, written: wire.written };
}

const nodes = http.createServer({ requireHostHeader: false });

export async function serveByNode(pieces: readonly Buffer[]): Promise<Served> {
  const seen: Seen[] = [];
  function onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('error', () => {});
    request
      .on('data', (part: Buffer) => parts.push(part))
      .on('end', () => {
        const { method = '', url = '', rawHeaders } = request;
        seen.push({ method, url, headers: rawHeaders, body: Buffer.concat(parts).toString('latin1') });
        response.end('ok');
      });
  }
  for (const event of ['request', 'checkContinue', 'checkExpectation'])
    nodes.removeAllListeners(event).on(event, onRequest);
  nodes.removeAllListeners('clientError').on('clientError', () => {});
  const wire = new Wire({ allowHalfOpen: true });
  nodes.emit('connection', wire);
  await feed(wire, pieces);
  wire.destroy();
  return { seen, written: wire.written };
}

async function feed(wire: Wire, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (wire.destroyed) return;
    wire.push(piece);
    await turns(2);
  }
  await turns(6);
}

/** Turns of the event loop: nothing here waits for anything outside of the process. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
