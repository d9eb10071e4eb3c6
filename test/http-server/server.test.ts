import { once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { usualLimits } from '../../src/io/http-server/limits.ts';
import { serve } from '../../src/io/http-server/serve.ts';
import type { Handler, Inbound, Listening, Reply } from '../../src/io/http-server/types.ts';

/** The server pair on real sockets: what every room that serves HTTP relies on. */

async function listen(handler: Handler, limits = {}, onUnread = (): void => {}): Promise<Listening> {
  const server = await serve({ address: '127.0.0.1', port: 0 }, handler, {
    limits: { ...usualLimits, ...limits },
    onUnread,
  });
  onTestFinished(() => server.close(0));
  return server;
}

interface Client {
  readonly socket: net.Socket;
  /** Resolves with all that came when it holds this text; rejects when the connection ends before. */
  readonly until: (text: string) => Promise<string>;
  /** All that came, once the server has closed. */
  readonly all: Promise<string>;
}

function connect(port: number, send = ''): Client {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
    socket.emit('more');
  });
  const all = new Promise<string>((resolve) => {
    socket.on('error', () => {}).on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
  socket.write(send, 'latin1');
  onTestFinished(() => void socket.destroy());
  return {
    socket,
    all,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        function look(): void {
          if (text.includes(wanted)) resolve(text);
        }
        socket.on('more', look).on('close', () => reject(new Error(`"${wanted}" did not come: ${text}`)));
        look();
      }),
  };
}

async function echo(inbound: Inbound, reply: Reply): Promise<void> {
  const body = await inbound.body(1 << 20);
  reply.head(200, ['Content-Type', 'text/plain']);
  reply.end(`${inbound.method} ${inbound.url} ${body.toString()}`);
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Bodies of the replies in a connection's text, each of known length. */
function bodies(text: string): string[] {
  const found: string[] = [];
  for (let rest = text; rest !== '';) {
    const head = rest.slice(0, rest.indexOf('\r\n\r\n') + 4);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    found.push(rest.slice(head.length, head.length + length));
    rest = rest.slice(head.length + length);
  }
  return found;
}

test('requests sent in one go are answered one by one, in their order', async () => {
  const running = { now: 0, most: 0 };
  const { port } = await listen(async (inbound, reply) => {
    running.most = Math.max(running.most, (running.now += 1));
    const body = await inbound.body(100);
    // The first ones take longest.
    for (let i = 0; i < 5 - body.length; i += 1) await new Promise((resolve) => setImmediate(resolve));
    running.now -= 1;
    reply.head(200, []);
    reply.end(`${inbound.url}:${body.toString()}`);
  });
  const client = connect(
    port,
    post('/1', 'a') + get('/2') + post('/3', 'bbb') + get('/4', 'Connection: close\r\n'),
  );
  expect(bodies(await client.all)).toEqual(['/1:a', '/2:', '/3:bbb', '/4:']);
  expect(running.most).toBe(1);
});

test('a thousand requests in one go need no deep stack', async () => {
  const { port } = await listen((_, reply) => {
    reply.head(200, []);
    reply.end('x');
  });
  const client = connect(port, get('/').repeat(1000) + get('/last', 'Connection: close\r\n'));
  expect(bodies(await client.all)).toHaveLength(1001);
});

test('a request may come byte by byte', async () => {
  const { port } = await listen(echo);
  const client = connect(port);
  client.socket.setNoDelay(true);
  for (const byte of post('/a', 'body')) {
    client.socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.until('POST /a body')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

test('a body that nobody reads is dropped, and the next request is served', async () => {
  const { port } = await listen((inbound, reply) => {
    reply.head(200, []);
    reply.end(inbound.url);
  });
  const big = 'x'.repeat(3_000_000);
  const client = connect(port, post('/1', big) + get('/2', 'Connection: close\r\n'));
  expect(bodies(await client.all)).toEqual(['/1', '/2']);
});

test('a reply to HEAD has the headers and no body', async () => {
  const { port } = await listen(echo);
  const client = connect(port, `HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const text = await client.all;
  expect(text).toMatch(/\r\nContent-Length: 8\r\n/);
  expect(text.endsWith('\r\n\r\n')).toBe(true);
});

test('a client of HTTP/1.0 gets no chunks, and its connection is kept only when it asks', async () => {
  const { port } = await listen((inbound, reply) => {
    reply.head(200, []);
    if (inbound.url === '/parts') reply.write('a');
    reply.end('b');
  });
  const parts = await connect(port, 'GET /parts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').all;
  expect(parts).toMatch(/\r\nConnection: close\r\n\r\nab$/);
  expect(parts).not.toMatch(/chunked/i);
  const kept = connect(port, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  expect(await kept.until('\r\n\r\nb')).toMatch(/\r\nConnection: keep-alive\r\n/);
  kept.socket.write('GET / HTTP/1.0\r\n\r\n');
  expect(bodies(await kept.all)).toEqual(['b', 'b']);
});

test('writes without a length are chunked; the chunks join to what was written, whatever its size', async () => {
  const pieces = ['é', 'x'.repeat(20_000), '', 'end'];
  const { port } = await listen((_, reply) => {
    reply.head(200, []);
    for (const piece of pieces) reply.write(piece);
    reply.end(Buffer.from('!'));
  });
  const reply = await fetch(`http://127.0.0.1:${port}/`);
  expect(reply.headers.get('transfer-encoding')).toBe('chunked');
  expect(await reply.text()).toBe(`${pieces.join('')}!`);
});

test.each([
  ['shorter', '10', 'short'],
  ['longer', '3', 'longer'],
])('a body %s than its Content-Length cuts the connection', async (_, length, body) => {
  const { port } = await listen((__, reply) => {
    reply.head(200, ['Content-Length', length]);
    reply.end(body);
  });
  const client = connect(port, get('/1') + get('/2'));
  expect((await client.all).split('HTTP/1.1 200').length).toBeLessThanOrEqual(2);
});

test.each([
  ['a line end in a value', ['X', 'a\r\nSet-Cookie: b']],
  ['a character beyond latin1', ['X', '\u0100']],
  ['a space in a name', ['X Y', 'a']],
  ['a length that is none', ['Content-Length', '1, 1']],
])('%s of a reply is refused', async (_, headers) => {
  const { port } = await listen((__, reply) => reply.head(200, headers));
  expect(await connect(port, get('/', 'Connection: close\r\n')).all).toMatch(/^HTTP\/1\.1 500 /);
});

test('a handler that fails gives a bare 500 before the head, and a cut connection after it', async () => {
  const { port } = await listen(async (inbound, reply) => {
    if (inbound.url === '/late') {
      reply.head(200, []);
      reply.write('begun');
    }
    await Promise.reject(new Error('expected'));
  });
  expect(await connect(port, get('/early', 'Connection: close\r\n')).all).toMatch(/^HTTP\/1\.1 500 /);
  expect(await connect(port, get('/late')).all).not.toMatch(/\r\n0\r\n\r\n$/);
});

test('a head that does not come to its end is refused in time, and so is a body', async () => {
  const { port } = await listen(echo, { headMs: 40, idleMs: 40 });
  for (const begun of ['GET / HTTP/1.1\r\nHost: x\r\nX-', post('/', 'body').slice(0, -1)])
    expect(await connect(port, begun).all).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
});

test('a connection without a request is closed in time, one whose reply takes long is not', async () => {
  const release = Promise.withResolvers<void>();
  const { port } = await listen(
    async (_, reply) => {
      await release.promise;
      reply.head(200, []);
      reply.end('late');
    },
    { idleMs: 40, headMs: 40 },
  );
  const busy = connect(port, get('/'));
  expect(await connect(port).all).toBe('');
  expect(await connect(port, '\r\n').all).toBe('');
  release.resolve();
  expect(await busy.until('late')).toMatch(/^HTTP\/1\.1 200 /);
});

test('a client that takes no end is left after a while', async () => {
  const server = await listen(echo, { lingerMs: 40 });
  const client = connect(server.port, get('/', 'Connection: close\r\n'));
  client.socket.removeAllListeners('end');
  expect(await client.until('GET / ')).toMatch(/\r\nConnection: close\r\n/);
  // Resolves when no connection is left.
  await server.close(600_000);
});

test('one who reads slowly gets the whole of a last reply; one who goes on sending is left all the same', async () => {
  const total = 30_000_000;
  const { port } = await listen(
    (_, reply) => {
      reply.head(200, ['Content-Length', String(total)]);
      reply.end(Buffer.alloc(total, 97));
    },
    { lingerMs: 40 },
  );
  const slow = net.connect({ host: '127.0.0.1', port });
  onTestFinished(() => void slow.destroy());
  slow.write(get('/', 'Connection: close\r\n'));
  await once(slow, 'readable');
  const sender = connect(port, 'no HTTP\r\n\r\n');
  sender.socket.removeAllListeners('end');
  await sender.until('malformed_http');
  const sending = setInterval(() => sender.socket.write('more'), 5);
  onTestFinished(() => clearInterval(sending));
  expect(await sender.all).toMatch(/^HTTP\/1\.1 400 /);
  // By now the time to linger is over for both.
  let came = 0;
  for await (const part of slow as AsyncIterable<Buffer>) came += part.length;
  expect(came).toBeGreaterThan(total);
});

function long(total: number): Handler {
  return (_, reply) => {
    reply.head(200, ['Content-Length', String(total)]);
    reply.end(Buffer.alloc(total, 97));
  };
}

test.each([
  ['kept', ''],
  ['ended with it', 'Connection: close\r\n'],
])('a reply of which nothing is taken is cut where its connection is %s', async (_, how) => {
  const cut = Promise.withResolvers<void>();
  let times = 0;
  const server = await listen(long(30_000_000), { lingerMs: 40, unreadMs: 40 }, () => {
    times += 1;
    cut.resolve();
  });
  const deaf = net.connect({ host: '127.0.0.1', port: server.port });
  onTestFinished(() => void deaf.destroy());
  // More than is kept of later requests, so that its end would not be seen either.
  deaf.on('error', () => {}).write(get('/', how) + get('/').repeat(4000));
  await cut.promise;
  // Resolves when no connection is left.
  await server.close(600_000);
  expect(times).toBe(1);
});

test('a reply that is taken slowly is not cut, however long that takes', async () => {
  const total = 30_000_000;
  const { port } = await listen(long(total), { lingerMs: 40, unreadMs: 6000 });
  const slow = net.connect({ host: '127.0.0.1', port });
  onTestFinished(() => void slow.destroy());
  slow.write(get('/'));
  let came = 0;
  for await (const part of slow as AsyncIterable<Buffer>) {
    came += part.length;
    if (came >= total) break;
    // On the whole longer than the limit. The kernels keep megabytes, so that some seconds' worth is taken at once.
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  expect(came).toBeGreaterThanOrEqual(total);
});

test('a client that leaves is told once, one that has its reply is not told', async () => {
  const told: string[] = [];
  const entered = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const { port } = await listen((inbound, reply) => {
    inbound.onClosed(() => told.push(inbound.url));
    inbound.closed.addEventListener('abort', () => left.resolve());
    if (inbound.url === '/stays') {
      reply.head(200, []);
      reply.end();
    } else entered.resolve();
  });
  await connect(port, get('/stays', 'Connection: close\r\n')).all;
  const client = connect(port, get('/leaves'));
  await entered.promise;
  client.socket.destroy();
  await left.promise;
  expect(told).toEqual(['/leaves']);
});

test('slow readers hold the writer back, and get everything', async () => {
  const total = 8_000_000;
  const part = Buffer.alloc(100_000, 97);
  let waited = 0;
  const { port } = await listen(async (_, reply) => {
    reply.head(200, ['Content-Length', String(total)]);
    for (let sent = 0; sent < total; sent += part.length) {
      if (reply.write(part)) continue;
      waited += 1;
      await reply.drained();
    }
    reply.end();
  });
  const reply = await fetch(`http://127.0.0.1:${port}/`);
  expect((await reply.arrayBuffer()).byteLength).toBe(total);
  expect(waited).toBeGreaterThan(0);
});

test('closing waits for what is under way, refuses what is new, and cuts what takes too long', async () => {
  const release = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const server = await listen(async (_, reply) => {
    entered.resolve();
    await release.promise;
    reply.head(200, []);
    reply.end('served');
  });
  const idle = connect(server.port);
  const busy = connect(server.port, get('/') + get('/second'));
  await entered.promise;
  const closed = server.close(10_000);
  expect(await idle.all).toBe('');
  release.resolve();
  expect(bodies(await busy.all)).toEqual(['served']);
  await closed;
  const asked = Promise.withResolvers<void>();
  const other = await listen(() => {
    asked.resolve();
    return new Promise(() => {});
  });
  const never = connect(other.port, get('/never'));
  await asked.promise;
  await other.close(50);
  expect(await never.all).toBe('');
});
