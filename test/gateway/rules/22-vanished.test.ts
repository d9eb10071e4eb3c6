import net from 'node:net';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { silentListener } from '../../support/full-listener.ts';
import type { SilentListener } from '../../support/full-listener.ts';
import { chatEvent, wellBehaved } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import {
  chat,
  configFor,
  dial,
  engine,
  errorOf,
  front,
  movableClock,
  post,
  postChat,
  until,
} from '../harness.ts';

/** Engines whose machines vanish: their connections stay as they are, and no new one comes about. */

async function vanishing(): Promise<SilentListener> {
  const listener = await silentListener();
  onTestFinished(() => listener.close());
  return listener;
}

test('rule 22: what an engine has not begun when its machine vanishes is served by another one', async () => {
  const clock = movableClock();
  const gone = await vanishing();
  const held: Turn[] = [];
  const lives = await engine((turn) =>
    turn.request.path === '/health' ? turn.json(200, {}) : void held.push(turn),
  );
  const shapes = [gone, lives].map(({ url }) => ({ url, healthPath: '/health', slots: 1 }));
  const gateway = await front(configFor(shapes, { limits: { queueMs: 3_600_000 } }), { clock });
  const replies = [postChat(gateway.url), postChat(gateway.url)];
  await until('each has one', () => held.length === 1 && gone.heard().includes('POST '));
  await gone.fill();
  held[0]?.json(200, {});
  await until('the other is asked', () => {
    clock.advance(1000);
    return held.length === 2;
  });
  held[1]?.json(200, {});
  const served = await Promise.all(replies);
  expect(served.map((reply) => [reply.status, reply.headers.get('x-berth-upstream')])).toEqual([
    [200, 'u1'],
    [200, 'u1'],
  ]);
  expect(await gateway.metric('berth_gateway_retries_total', 'reason="reset"')).toBe(1);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

test('rule 22: where nobody else can serve it, that an engine has vanished is said, and after a minute where nothing told so', async () => {
  const clock = movableClock();
  const gone = await vanishing();
  const gateway = await front(configFor([{ url: gone.url, healthPath: '/health' }]), { clock });
  const began = clock.now();
  let answered = false;
  let took = 0;
  const asked = postChat(gateway.url).finally(() => {
    took = clock.now() - began;
    answered = true;
  });
  await until('it has it', () => gone.heard().includes('POST '));
  await gone.fill();
  await until('it is given up', () => {
    // By little, since the gateway looks at its clock ten times a second.
    clock.advance(100);
    return answered;
  });
  const reply = await asked;
  expect([reply.status, (await errorOf(reply)).code]).toEqual([502, 'upstream_failed']);
  // Its queue of connections is full, as that of a busy one may be.
  expect(took).toBeGreaterThan(60_000);
});

test('rule 22: an engine that refuses connections for more than a minute is given up, and not before', async () => {
  const clock = movableClock();
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  let got = '';
  server.on('connection', (socket: Socket) =>
    socket.on('data', (bytes) => (got += bytes.toString('latin1'))),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const spare = await engine(wellBehaved);
  const gateway = await front(
    configFor(
      [
        { url: `http://127.0.0.1:${port}`, healthPath: '/health' },
        { url: spare.url, slots: 1 },
      ],
      { policies: { d: { kind: 'round-robin' } } },
    ),
    { clock },
  );
  const began = clock.now();
  const asked = postChat(gateway.url).then((reply) => [reply.status, clock.now() - began] as const);
  await until('it has it', () => got.includes('POST '));
  server.close();
  let end: readonly [number, number] | null = null;
  void asked.then((done) => (end = done));
  await until('it is served elsewhere', () => {
    clock.advance(1000);
    return end !== null;
  });
  const [status, took] = await asked;
  expect(status).toBe(200);
  expect(took).toBeGreaterThan(60_000);
  expect(spare.seen).toHaveLength(1);
});

test('rule 22: a health path that is slow takes no prompt from an engine that reads it', async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  let checks = 0;
  const busy = await engine((turn) => {
    if (turn.request.path === '/health') checks += 1;
    else held.push(turn);
  });
  const gateway = await front(configFor([{ url: busy.url, healthPath: '/health' }]), { clock });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the engine reads the prompt', () => held.length === 1);
  await until('many checks have come to nothing', () => {
    clock.advance(5000);
    return checks >= 30;
  });
  held[0]?.stream();
  held[0]?.chunk(chatEvent('at last'));
  held[0]?.endChunks();
  await until('it is whole', () => wire.text().endsWith('0\r\n\r\n'));
  expect(wire.text()).toContain('at last');
  wire.socket.destroy();
});
