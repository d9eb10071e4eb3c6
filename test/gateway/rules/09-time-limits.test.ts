import { expect, test } from 'vitest';
import { fullListener } from '../../support/full-listener.ts';
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
  start,
  until,
} from '../harness.ts';

test('rule 9: an engine that goes silent within a stream is given up after the idle time', async () => {
  const clock = movableClock();
  const { upstream, gateway } = await start(
    (turn) => {
      turn.stream();
      turn.chunk(chatEvent('a'));
    },
    { limits: { idleMs: 120_000 }, clock },
  );
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('it has begun', () => wire.text().includes('"a"'));
  await until('it is given up', () => {
    clock.advance(10_000);
    return wire.text().includes('"code":"upstream_timeout"');
  });
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
  expect(wire.text()).not.toContain('[DONE]');
  wire.socket.destroy();
});

test('rule 9: a prefill may take longer than any time limit', async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    limits: { idleMs: 120_000, connectMs: 5000 },
    clock,
  });
  const ask = post('/v1/chat/completions', chat({ stream: true }));
  const reads = await dial(gateway.port, ask);
  await until('the engine reads one prompt', () => held.length === 1);
  const falters = await dial(gateway.port, ask);
  await until('the engine reads the other', () => held.length === 2);
  held[1]?.stream();
  await until('time has passed for both', () => {
    clock.advance(3_600_000);
    return falters.text().includes('"code":"upstream_timeout"');
  });
  wellBehaved(held[0] as Turn);
  await until('it is whole', () => reads.text().endsWith('0\r\n\r\n'));
  expect(reads.text()).toContain('data: [DONE]');
  for (const { socket } of [reads, falters]) socket.destroy();
});

test('rule 9: where a first byte has a limit, an engine that begins no reply is given up, and is not asked elsewhere', async () => {
  const clock = movableClock();
  const engines = await Promise.all([0, 1].map(() => engine(() => {})));
  const shapes = engines.map(({ url }) => ({ url }));
  const gateway = await front(configFor(shapes, { limits: { firstByteMs: 60_000 } }), { clock });
  const reply = postChat(gateway.url);
  await until('an engine reads it', () => engines.some(({ seen }) => seen.length === 1));
  await until('the engine was cut off', () => {
    clock.advance(10_000);
    return engines.some(({ seen }) => seen[0]?.cut === true);
  });
  expect((await reply).status).toBe(504);
  expect((await errorOf(await reply)).code).toBe('upstream_timeout');
  expect(engines.flatMap(({ seen }) => seen)).toHaveLength(1);
});

test('rule 9: one that begins no reply in time is not asked for again at another deployment or a fallback', async () => {
  const clock = movableClock();
  const silent = await engine(() => {});
  const others = [await engine(wellBehaved), await engine(wellBehaved)];
  const shapes = [silent, ...others].map(({ url }, i) => ({ url, deployment: `d${i}` }));
  const to = [
    { deployment: 'd0', weight: 1 },
    { deployment: 'd1', weight: 0 },
  ];
  const fallback = { to: ['d2'], on: ['unreachable' as const, 'deadline' as const] };
  const routes = [
    { name: 'm', to, aliasOf: null, fallback },
    { name: 'd2', to: [{ deployment: 'd2', weight: 1 }], aliasOf: null },
  ];
  const gateway = await front(configFor(shapes, { routes, limits: { firstByteMs: 60_000 } }), { clock });
  const reply = postChat(gateway.url);
  await until('the engine reads it', () => silent.seen.length === 1);
  await until('the engine was cut off', () => {
    clock.advance(10_000);
    return silent.seen[0]?.cut === true;
  });
  expect([(await reply).status, (await errorOf(await reply)).code]).toEqual([504, 'upstream_timeout']);
  expect(others.flatMap(({ seen }) => seen)).toEqual([]);
});

test('rule 9: an address that swallows connections is given up after the connect time', async () => {
  const full = await fullListener();
  try {
    const clock = movableClock();
    const config = configFor([{ url: full.url }], { limits: { connectMs: 60_000 } });
    const gateway = await front(config, { clock });
    const asked = postChat(gateway.url);
    await until('it connects', async () => (await gateway.metric('berth_gateway_inflight')) === 1);
    clock.advance(61_000);
    const reply = await asked;
    expect([503, 504]).toContain(reply.status);
    await errorOf(reply);
  } finally {
    await full.close();
  }
});

test('rule 9: a head that has begun and does not come to its end is given up after the idle time', async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { gateway, upstream } = await start((turn) => void held.push(turn), {
    limits: { idleMs: 120_000 },
    clock,
  });
  const reply = postChat(gateway.url);
  await until('the engine has it', () => held.length === 1);
  held[0]?.write('HTTP/1.1 200 OK\r\nX-Half: ');
  let answered = false;
  void reply.then(() => (answered = true));
  await until('it is given up', () => {
    clock.advance(10_000);
    return answered;
  });
  expect([(await reply).status, (await errorOf(await reply)).code]).toEqual([504, 'upstream_timeout']);
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
});
