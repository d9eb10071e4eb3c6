import { expect, test } from 'vitest';
import { chatEvent, doneEvent, wholeStream } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { configFor, errorOf, postChat, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';

test('requests for a model that is not loaded cause one load and are served once it runs', async () => {
  const { gateway, asked, loaded, state } = await stage({ a: {} });
  expect(await state('a')).toBe('unloaded');
  const replies = [1, 2, 3].map(() => postChat(gateway.url, { model: 'a' }));
  await until('all wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 3);
  expect(asked).toEqual(['load a']);
  expect(await state('a')).toBe('loading');
  await loaded('a');
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual([200, 200, 200]);
  expect(asked).toEqual(['load a']);
});

test('a client that leaves frees its place, and the load that nobody waits for goes on', async () => {
  const { gateway, asked, loaded, state } = await stage({ a: {} });
  const leaving = new AbortController();
  const reply = postChat(gateway.url, { model: 'a' }, { signal: leaving.signal }).catch(() => 'left');
  await until('it is asked for', () => asked.length === 1);
  leaving.abort();
  expect(await reply).toBe('left');
  await until('the place is free', async () => (await gateway.metric('berth_gateway_queue_depth')) === 0);
  await loaded('a');
  expect(await state('a')).toBe('ready');
  expect(asked).toEqual(['load a']);
});

test('a load that nobody waits for is given up when another model needs its memory', async () => {
  const { gateway, asked, loaded, unloaded } = await stage({ a: {}, b: {} });
  const leaving = new AbortController();
  const left = postChat(gateway.url, { model: 'a' }, { signal: leaving.signal }).catch(() => 'left');
  await until('a is asked for', () => asked.length === 1);
  leaving.abort();
  expect(await left).toBe('left');
  const reply = postChat(gateway.url, { model: 'b' });
  await until('a is given up', () => asked.includes('unload a'));
  expect(asked).toEqual(['load a', 'unload a']);
  await unloaded('a');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  expect((await reply).status).toBe(200);
});

test('a busy model is never unloaded for another: it takes nothing new, ends what it has, and then goes', async () => {
  const held: Turn[] = [];
  const { gateway, asked, loaded, unloaded, engines } = await stage(
    { a: {}, b: {} },
    { script: (turn) => void held.push(turn) },
  );
  const stream = postChat(gateway.url, { model: 'a', stream: true });
  await until('a is asked for', () => asked.length === 1);
  await loaded('a');
  await until('a serves', () => held.length === 1);
  held[0]?.stream();
  held[0]?.chunk(chatEvent('begun'));
  const other = postChat(gateway.url, { model: 'b' });
  await until('b waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const late = postChat(gateway.url, { model: 'a' });
  await until('a is shut', async () => (await gateway.metric('berth_gateway_queue_depth')) === 2);
  expect(asked).toEqual(['load a']);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await (await stream).text()).toContain('finished');
  await until('a ends', () => asked.includes('unload a'));
  await unloaded('a');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  await until('b serves', () => held.length === 2);
  expect(engines['b']?.seen.length).toBe(1);
  held[1]?.json(200, { ok: 'b' });
  expect(await (await other).json()).toEqual({ ok: 'b' });
  await until('b makes room', () => asked.includes('unload b'));
  await unloaded('b');
  await until('a comes back', () => asked.filter((one) => one === 'load a').length === 2);
  await loaded('a');
  await until('the late one is served', () => held.length === 3);
  held[2]?.json(200, { ok: 'a' });
  expect(await (await late).json()).toEqual({ ok: 'a' });
});

test('as long as others have patience, a busy model goes on taking requests of its own', async () => {
  const held: Turn[] = [];
  const { gateway, asked, loaded, unloaded } = await stage(
    { a: {}, b: {} },
    { script: (turn) => void held.push(turn), onDemand: { patienceMs: 600_000 } },
  );
  const first = postChat(gateway.url, { model: 'a' });
  await until('a is asked for', () => asked.length === 1);
  await loaded('a');
  await until('a serves', () => held.length === 1);
  const other = postChat(gateway.url, { model: 'b' });
  await until('b waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const second = postChat(gateway.url, { model: 'a' });
  await until('a serves another', () => held.length === 2);
  for (const turn of held) turn.json(200, {});
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
  await until('a, idle now, makes room', () => asked.includes('unload a'));
  await unloaded('a');
  await until('b is asked for', () => asked.includes('load b'));
  await loaded('b');
  await until('b serves', () => held.length === 3);
  held[2]?.json(200, {});
  expect((await other).status).toBe(200);
});

test('what does not fit is told so at once, and no load is tried', async () => {
  const { gateway, asked } = await stage({ huge: { need: { host: 1024 ** 4, gpu: 0 } } });
  const reply = await postChat(gateway.url, { model: 'huge' });
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, null]);
  expect(await errorOf(reply)).toMatchObject({
    code: 'model_too_large',
    message: expect.stringMatching(/^huge does not fit: it needs 1\.0 TiB of memory, and there is \d/),
  });
  expect(asked).toEqual([]);
});

test('who waits for longer than the load may take is told when to come back', async () => {
  const { gateway } = await stage(
    { a: { loadMs: 1, startTimeoutMs: 1 } },
    { config: { limits: { queueMs: 50 } } },
  );
  const reply = await postChat(gateway.url, { model: 'a' });
  expect(reply.status).toBe(503);
  expect((await errorOf(reply)).code).toBe('model_loading');
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('after a failed load those who wait are told, and for a while no other load is tried', async () => {
  const { gateway, asked, failed, state } = await stage({ a: {} });
  const waits = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await failed('a', 'its engine ended while starting.');
  const replies = [await waits, await postChat(gateway.url, { model: 'a' })];
  for (const reply of replies) {
    expect(reply.status).toBe(503);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await errorOf(reply)).message).toContain('its engine ended while starting.');
  }
  expect(asked).toEqual(['load a']);
  expect(await state('a')).toBe('failed');
  // A client that comes back later causes another one.
  const later = new AbortController();
  const comers: Promise<unknown>[] = [];
  await until('it is tried again', () => {
    comers.push(postChat(gateway.url, { model: 'a' }, { signal: later.signal }).catch(() => null));
    return asked.length > 1;
  });
  later.abort();
  await Promise.all(comers);
});

test('an engine that has died is gone for clients too, and the next request has it loaded again', async () => {
  const { gateway, asked, loaded, unloaded, state } = await stage({ a: {} });
  const first = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await loaded('a');
  expect((await first).status).toBe(200);
  await unloaded('a');
  expect(await state('a')).toBe('unloaded');
  const second = postChat(gateway.url, { model: 'a' });
  await until('it is asked for again', () => asked.length === 2);
  await loaded('a');
  expect((await second).status).toBe(200);
});

test('without a request for its idle time a model is unloaded', async () => {
  const { gateway, asked, loaded, unloaded, state } = await stage({ a: { ttlMs: 1 } });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await loaded('a');
  expect((await reply).status).toBe(200);
  await until('it ends', () => asked.includes('unload a'));
  await unloaded('a');
  expect(await state('a')).toBe('unloaded');
});

test('a stream that waits for its model can hear how far it is loaded', async () => {
  const { gateway, asked, loaded } = await stage({ a: {} }, { config: { waitCommentsMs: 1 } });
  const reply = await postChat(gateway.url, { model: 'a', stream: true });
  const parts: string[] = [];
  async function read(): Promise<void> {
    const text = new TextDecoder();
    for await (const part of reply.body ?? []) parts.push(text.decode(part as Uint8Array, { stream: true }));
  }
  const whole = read();
  expect(asked).toEqual(['load a']);
  await until('it hears of the load', () => parts.join('').includes(': berth loading\n\n'));
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.4 });
  await until('it hears how far', () => parts.join('').includes(': berth loading 40%\n\n'));
  await loaded('a');
  await whole;
  expect(parts.join('')).toContain('[DONE]');
});

test('two models that fit together stay loaded together', async () => {
  const GiB = 1024 ** 3;
  const need = { host: 3 * GiB, gpu: 0 };
  const { gateway, asked, loaded, state } = await stage({ a: { need }, b: { need } });
  for (const name of ['a', 'b']) {
    const reply = postChat(gateway.url, { model: name });
    await until(`${name} is asked for`, () => asked.includes(`load ${name}`));
    await loaded(name);
    expect((await reply).status).toBe(200);
  }
  expect([await state('a'), await state('b')]).toEqual(['ready', 'ready']);
  expect(asked).toEqual(['load a', 'load b']);
});

test('who waits for a model that the fleet file no longer has is told so at once', async () => {
  const { gateway, asked } = await stage({ a: {} });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await gateway.reload(configFor([], { routes: [] }));
  const refused = await reply;
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect((await errorOf(refused)).code).toBe('no_healthy_instance');
  expect((await postChat(gateway.url, { model: 'a' })).status).toBe(404);
});

test('two models that exclude each other take turns under 50 clients: no request fails, and no stream is cut', async () => {
  const { gateway, asked, loaded, unloaded } = await stage(
    { a: {}, b: {} },
    { script: streaming, config: { limits: { queue: 100, queueMs: 300_000 } } },
  );
  const over = new AbortController();
  const starting = (async () => {
    for (let done = 0; !over.signal.aborted;) {
      if (asked.length === done) await new Promise((resolve) => setTimeout(resolve, 1));
      else {
        const [verb, name = ''] = asked[done]?.split(' ') ?? [];
        await (verb === 'load' ? loaded(name) : unloaded(name));
        done += 1;
      }
    }
  })();
  const texts: string[] = [];
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      for (let round = 0; round < 4; round += 1) {
        const reply = await postChat(gateway.url, { model: 'ab'[(i + round) % 2], stream: true });
        texts.push(`${reply.status} ${await reply.text()}`);
      }
    }),
  );
  over.abort();
  await starting;
  expect(texts.filter((text) => text !== `200 ${wholeStream}`)).toEqual([]);
  expect(texts.length).toBe(200);
  for (const name of ['a', 'b']) expect(asked).toContain(`unload ${name}`);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

/** As a well-behaved engine, but that each piece of text takes a while, so that many are under way. */
async function streaming(turn: Turn): Promise<void> {
  turn.stream();
  for (const text of ['Hel', 'lo', '!']) {
    turn.chunk(chatEvent(text));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  turn.chunk(doneEvent);
  turn.endChunks();
}
