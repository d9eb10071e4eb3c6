import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { createTimedClient } from '../../../src/io/timed-request.ts';
import type { Exchange, TimedClient } from '../../../src/io/timed-request.ts';

const givenBack: (() => void)[] = [];
afterEach(() => {
  for (const give of givenBack.splice(0)) give();
});

function now(): number {
  return Math.round(performance.now() * 1000);
}

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  givenBack.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function clientOf(url: string): TimedClient {
  const client = createTimedClient(url, now);
  givenBack.push(client.close);
  return client;
}

function ask(client: TimedClient, timeoutMs = 10_000): Promise<Exchange> {
  const { signal } = new AbortController();
  return client.send({ path: '/x', headers: {}, body: Buffer.from('{}'), timeoutMs, signal });
}

test('the clocks of an exchange are in the order in which things happen', async () => {
  const port = await listen(http.createServer((_request, response) => response.end('{}')));
  const exchange = await ask(clientOf(`http://127.0.0.1:${port}`));
  const { started, connected, sent, headers, body, done } = exchange;
  const order = [started, connected, sent, headers, body.at[0], done];
  expect(order).toEqual((order as number[]).toSorted((a, b) => a - b));
  expect(exchange).toMatchObject({ status: 200, fault: null });
});

test('a kept connection that the server has closed meanwhile is tried anew, and is no fault', async () => {
  // Answers the first request on a connection, and cuts it at the second one, as servers with a short keep-alive do.
  const server = http.createServer((_request, response) => {
    response.end('{}');
    response.socket?.once('data', () => response.socket?.resetAndDestroy());
  });
  server.on('connection', (socket) => {
    let requests = 0;
    socket.prependListener('data', () => {
      requests += 1;
      if (requests === 2) socket.resetAndDestroy();
    });
  });
  const client = clientOf(`http://127.0.0.1:${await listen(server)}`);
  const faults = [];
  for (let i = 0; i < 3; i += 1) faults.push((await ask(client)).fault);
  expect(faults).toEqual([null, null, null]);
});

test('bytes that are not HTTP are malformed, and a name that does not resolve is no connection', async () => {
  const port = await listen(net.createServer((socket) => socket.end('SSH-2.0-nonsense\r\n')));
  expect((await ask(clientOf(`http://127.0.0.1:${port}`))).fault?.kind).toBe('malformed');
  expect((await ask(clientOf('http://name.invalid'))).fault?.kind).toBe('connect');
});

test('a server that accepts and then says nothing ends in a time-out', async () => {
  const port = await listen(net.createServer((socket) => givenBack.push(() => socket.destroy())));
  expect((await ask(clientOf(`http://127.0.0.1:${port}`), 100)).fault?.kind).toBe('timeout');
});

/** A server with a certificate that it signed itself; null where there is no openssl to make one. */
async function secureServer(): Promise<{ url: string; certificate: string } | null> {
  const folder = mkdtempSync(join(tmpdir(), 'berth tls '));
  givenBack.push(() => rmSync(folder, { recursive: true }));
  try {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const kind = ['-days', '2', '-nodes', '-newkey', 'rsa:2048'];
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
    execFileSync('openssl', ['req', '-x509', ...subject, ...kind, ...files], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const pair = { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) };
  const server = https.createServer(pair, (_request, response) => response.end('{"x":1}'));
  return { url: `https://127.0.0.1:${await listen(server)}`, certificate: pair.cert.toString() };
}

test('a certificate that nobody signed is a fault of TLS, and one that is trusted is none', async ({
  skip,
}) => {
  const server = await secureServer();
  if (!server) return skip('needs openssl to make a certificate');
  expect(await ask(clientOf(server.url))).toMatchObject({ status: null, fault: { kind: 'tls' } });
  const usual = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...usual, server.certificate]);
  givenBack.push(() => tls.setDefaultCACertificates(usual));
  const client = clientOf(server.url);
  for (let i = 0; i < 2; i += 1) {
    const exchange = await ask(client);
    expect(exchange).toMatchObject({ status: 200, fault: null });
    expect(exchange.body.bytes.toString()).toBe('{"x":1}');
  }
});

test('an answer in pieces of any size is put together without its framing, and the connection is used again', async () => {
  let connections = 0;
  const payload = 'data: {"x":1}\r\n\r\ndata: 0\r\n\r\n: ping\n\ndata: [DONE]\n\n';
  const raw =
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n' +
    payload
      .split('')
      .map((letter) => `1;x=y\r\n${letter}\r\n`)
      .join('') +
    '0\r\nTrailer: t\r\n\r\n';
  const server = net.createServer((socket) => {
    connections += 1;
    socket.setNoDelay(true);
    socket.on('data', async () => {
      // An early answer, then the real one in pieces that cut head, sizes and trailers.
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
      for (let i = 0; i < raw.length; i += 7) {
        socket.write(raw.slice(i, i + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  const client = clientOf(`http://127.0.0.1:${await listen(server)}`);
  for (let i = 0; i < 3; i += 1) {
    const exchange = await ask(client);
    expect(exchange).toMatchObject({ status: 200, contentType: 'text/event-stream', fault: null });
    expect(exchange.body.bytes.toString()).toBe(payload);
    expect(exchange.body.ends.at(-1)).toBe(payload.length);
  }
  expect(connections).toBe(1);
});

test('an answer that ends with its connection is whole, and one that ends before its length is truncated', async () => {
  const heads = ['HTTP/1.0 200 OK\r\n\r\nall', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall', ''];
  const port = await listen(
    net.createServer((socket) => socket.once('data', () => socket.end(heads.shift() ?? ''))),
  );
  const client = clientOf(`http://127.0.0.1:${port}`);
  expect(await ask(client)).toMatchObject({ status: 200, fault: null });
  expect(await ask(client)).toMatchObject({ status: 200, fault: { kind: 'truncated' } });
  expect(await ask(client)).toMatchObject({ status: null, fault: { kind: 'reset' } });
});

test('a signal that aborts cuts every request in flight, and one that has aborted lets none begin', async () => {
  const port = await listen(net.createServer((socket) => givenBack.push(() => socket.destroy())));
  const client = clientOf(`http://127.0.0.1:${port}`);
  const stop = new AbortController();
  const request = { path: '/', headers: {}, body: Buffer.from('{}'), timeoutMs: 10_000, signal: stop.signal };
  const flying = [client.send(request), client.send(request)];
  setImmediate(() => stop.abort());
  const kinds = (await Promise.all([...flying, client.send(request)])).map(({ fault }) => fault?.kind);
  expect(kinds).toEqual(['cut', 'cut', 'cut']);
});

/** Sends a body in pieces, each in a packet of its own as far as the machine lets it. */
async function bodyInPieces(pieces: readonly string[]): Promise<Exchange> {
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    socket.once('data', () => {
      const all = [
        'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n',
        ...pieces,
      ];
      function next(): void {
        const piece = all.shift();
        if (piece === undefined) return;
        socket.write(piece, 'latin1');
        setTimeout(next, 3);
      }
      next();
    });
  });
  const port = await listen(server);
  return ask(clientOf(`http://127.0.0.1:${port}`));
}

test('chunks are put together however their frames are written and wherever they are cut', async () => {
  const { body, fault } = await bodyInPieces([
    '5\r\nhello\r\n',
    'A;x=y\r\n0123456789\r\n',
    '3\r',
    '\nabc\r\n',
    '2\r\nde\r\n1\r\nf\r\n',
    '4\r\n\r\n\r\n\r\n',
    '0000c\r\nzero-padded!\r\n',
    '1\r\n',
    'g\r\n',
    "1F\r\n0\r\n\r\nis no end when it's inside\r\n",
    '0\r\n',
    'trailer: x\r\n\r\n',
  ]);
  expect(fault).toBeNull();
  expect(body.bytes.toString('latin1')).toBe(
    "hello0123456789abcdef\r\n\r\nzero-padded!g0\r\n\r\nis no end when it's inside",
  );
  expect(body.ends.at(-1)).toBe(body.bytes.length);
  expect(body.ends).toHaveLength(body.at.length);
});

test.each([['5\r\nhello!\r\n'], ['5\r\nhell\r\n0\r\n\r\n'], ['g\r\nx\r\n'], ['1\nx\r\n'], ['\r\n\r\n']])(
  'a chunk whose frame is broken is malformed: %j',
  async (piece) => {
    const { fault } = await bodyInPieces(['2\r\nok\r\n', piece]);
    expect(fault?.kind).toBe('malformed');
  },
);
