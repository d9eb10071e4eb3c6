import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const { started, connected, sent, headers, reads, done } = exchange;
  const order = [started, connected, sent, headers, reads[0]?.at, done];
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

test('a certificate that nobody signed is a fault of TLS and is not accepted', async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth tls '));
  givenBack.push(() => rmSync(folder, { recursive: true }));
  try {
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
    execFileSync('openssl', ['req', '-x509', ...subject, ...files], { stdio: 'ignore' });
  } catch {
    skip('needs openssl to make a certificate');
  }
  const pair = { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) };
  const server = https.createServer(pair, (_request, response) => response.end('{}'));
  const exchange = await ask(clientOf(`https://127.0.0.1:${await listen(server)}`));
  expect(exchange).toMatchObject({ status: null, fault: { kind: 'tls' } });
});
