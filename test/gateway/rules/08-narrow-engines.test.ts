import http from 'node:http';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { configFor, front, postChat, turnedClock, until } from '../harness.ts';

/** An engine that serves each connection until it is closed, and no more than so many: others wait for their turn. */
async function startNarrow(places: number) {
  const waiting: net.Socket[] = [];
  const sockets = new Set<net.Socket>();
  const held: http.ServerResponse[] = [];
  let holds = false;
  let taken = 0;
  const inner = http.createServer({ keepAliveTimeout: 0 }, (request, reply) => {
    request.resume();
    if (holds && request.method === 'POST') held.push(reply);
    else answer(reply);
  });
  function answerHeld(): void {
    for (const reply of held.splice(0)) answer(reply);
  }
  function next(): void {
    const socket = taken < places ? waiting.shift() : undefined;
    if (!socket) return;
    taken += 1;
    socket.on('close', () => {
      taken -= 1;
      next();
    });
    inner.emit('connection', socket);
    socket.resume();
  }
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    waiting.push(socket);
    next();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    taken: () => taken,
    hold: () => void (holds = true),
    held: () => held.length,
    answerHeld,
    release: () => {
      holds = false;
      answerHeld();
    },
  };
}

function answer(reply: http.ServerResponse): void {
  reply.setHeader('content-type', 'application/json');
  reply.end('{}');
}

async function begin(places: number) {
  const clock = turnedClock();
  const engine = await startNarrow(places);
  const gateway = await front(configFor([{ url: engine.url }]), { clock });
  return { clock, engine, gateway };
}

/** The gateway looks at its connections each tenth of a second. */
function someTicks(): Promise<void> {
  return setTimeout(300);
}

/** So many requests at once, none of which is answered. */
function post(engine: Awaited<ReturnType<typeof startNarrow>>, url: string, count: number) {
  engine.hold();
  return Array.from({ length: count }, () => postChat(url));
}

async function postTwo(engine: Awaited<ReturnType<typeof startNarrow>>, url: string): Promise<void> {
  const both = post(engine, url, 2);
  await until('both are there', () => engine.held() === 2);
  engine.release();
  for (const reply of both) await (await reply).text();
  await someTicks();
}

test('rule 8: an engine that serves one connection at a time is left no unused one for longer than four seconds', async () => {
  const { clock, engine, gateway } = await begin(1);
  for (let i = 0; i < 2; i += 1) {
    await (await postChat(gateway.url)).text();
    await someTicks();
    clock.advance(4100);
    await someTicks();
    // Another client of that engine, such as one that asks for its health.
    const other = await fetch(engine.url, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5000),
    });
    expect(await other.text()).toBe('{}');
  }
});

test('rule 8: an engine that serves few connections at a time has a place left for another client', async () => {
  const { clock, engine, gateway } = await begin(2);
  for (const ms of [4100, 80_000, 4100, 30_000]) {
    await postTwo(engine, gateway.url);
    clock.advance(ms);
    await expect.poll(() => engine.taken(), { timeout: 5000 }).toBeLessThanOrEqual(1);
    const other = await fetch(engine.url, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5000),
    });
    expect(await other.text()).toBe('{}');
  }
});

test('rule 8: connections that are unused for longer than four seconds are let go for requests that wait for their turn', async () => {
  const { clock, engine, gateway } = await begin(2);
  // One lives for so long that others may be left unused for a minute.
  await postTwo(engine, gateway.url);
  for (const ms of [4100, 80_000]) {
    clock.advance(ms);
    await someTicks();
  }
  let answered = 0;
  const all = post(engine, gateway.url, 4).map(async (one) => {
    const reply = await one;
    answered += 1;
    return reply;
  });
  await until('two have their turn', () => engine.held() === 2);
  await someTicks();
  engine.answerHeld();
  await until('both are answered', () => answered === 2);
  await someTicks();
  clock.advance(4100);
  await until('the other two have their turn', () => engine.held() === 2);
  engine.release();
  for (const reply of all) expect((await reply).status).toBe(200);
});
