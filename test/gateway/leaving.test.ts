import { expect, test } from 'vitest';
import { chatEvent } from './fake-upstream.ts';
import type { Script } from './fake-upstream.ts';
import { chat, dial, front, configFor, engine, post, postChat, start, until } from './harness.ts';

/** Rules 1 to 3: a client that leaves ends the engine's work at once, in every phase, and every slot comes back. */

const phases: Record<string, { script: Script; stream: boolean; reached: string }> = {
  'during prefill': { script: (turn) => turn.closed, stream: true, reached: '' },
  'after the head of a stream': {
    script: (turn) => {
      turn.stream();
    },
    stream: true,
    reached: 'HTTP/1.1 200',
  },
  'in the middle of a stream': {
    script: (turn) => {
      turn.stream();
      turn.chunk(chatEvent('begun'));
    },
    stream: true,
    reached: 'begun',
  },
  'before a plain reply': { script: (turn) => turn.closed, stream: false, reached: '' },
  'in the middle of a plain reply': {
    script: (turn) => turn.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun'),
    stream: false,
    reached: 'begun',
  },
};

test.each(Object.keys(phases))('a client that leaves %s frees the engine and its slot', async (name) => {
  const phase = phases[name];
  if (!phase) throw new Error('no such phase');
  const { upstream, gateway } = await start(phase.script, { upstream: { slots: 1 } });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: phase.stream })));
  await until('the engine has the request', () => upstream.seen.length === 1);
  await until('the reply is that far', () => wire.text().includes(phase.reached));
  wire.socket.destroy();
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
  await until('the slot is free', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="499"')).toBe(1);
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="client"')).toBe(1);
  expect(await gateway.metric('berth_gateway_breaker_state')).toBe(0);
  upstream.setScript((turn) => turn.json(200, { next: true }));
  expect(await (await postChat(gateway.url)).json()).toEqual({ next: true });
});

test('a client that leaves the queue never reaches the engine, and those behind it move up', async () => {
  const { upstream, gateway } = await start((turn) => turn.closed, { upstream: { slots: 1 } });
  const first = await dial(gateway.port, post('/v1/chat/completions', chat({ user: 'first' })));
  await until('the first is served', () => upstream.seen.length === 1);
  const second = await dial(gateway.port, post('/v1/chat/completions', chat({ user: 'second' })));
  await until('the second waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const third = postChat(gateway.url, { user: 'third' });
  await until('the third waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 2);
  second.socket.destroy();
  await until('the second is gone', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  upstream.setScript((turn) => turn.json(200, { ok: true }));
  first.socket.destroy();
  expect((await third).status).toBe(200);
  expect(upstream.seen.map((one) => (JSON.parse(one.body) as { user: string }).user)).toEqual([
    'first',
    'third',
  ]);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
});

test('a client that leaves while its body is on the way is counted and forgotten', async () => {
  const { upstream, gateway } = await start(() => {});
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat()).slice(0, -10));
  await until('the body is held', async () => (await gateway.metric('berth_gateway_body_bytes')) > 0);
  wire.socket.destroy();
  await until(
    'it is counted',
    async () => (await gateway.metric('berth_gateway_requests_total', 'status="499"')) === 1,
  );
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
  expect(upstream.seen).toEqual([]);
});

test('tokens of a stream that the client left are estimated from its events', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const text of ['a', 'b', 'c', 'd']) turn.chunk(chatEvent(text));
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('all came', () => wire.text().includes('"d"'));
  wire.socket.destroy();
  await until(
    'they are counted',
    async () => (await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')) > 0,
  );
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="estimate"')).toBe(4);
});

test('one client that leaves disturbs no other stream of the engine', async () => {
  const finish = Promise.withResolvers<void>();
  const { upstream, gateway } = await start(async (turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    await finish.promise;
    turn.chunk(chatEvent('finished'));
    turn.endChunks();
  });
  const stays = postChat(gateway.url, { stream: true });
  const leaves = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('both have begun', () => upstream.seen.length === 2 && leaves.text().includes('begun'));
  leaves.socket.destroy();
  await until('one was cut off', () => upstream.seen.some((one) => one.cut));
  finish.resolve();
  expect(await (await stays).text()).toContain('finished');
});

test('every slot is given back exactly once, whatever way the requests end', async () => {
  const engines = await Promise.all([0, 1].map((seed) => engine(chaos(seed))));
  const gateway = await front(
    configFor(
      engines.map(({ url }) => ({ url, slots: 2 })),
      { limits: { queue: 100 } },
    ),
  );
  const ends = Array.from({ length: 60 }, async (_, i) => {
    const leave = new AbortController();
    if (i % 3 === 0) setTimeout(() => leave.abort(), (i * 7) % 40);
    try {
      const reply = await postChat(gateway.url, { stream: i % 2 === 0 }, { signal: leave.signal });
      await reply.text();
    } catch {
      // Left, or cut: what counts is what remains.
    }
  });
  await Promise.all(ends);
  await until('nothing is under way', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(await gateway.metric('berth_gateway_queue_depth')).toBe(0);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
  for (const one of engines) one.setScript((turn) => turn.json(200, {}));
  const after = await Promise.all(Array.from({ length: 8 }, () => postChat(gateway.url)));
  expect(after.map((reply) => reply.status)).toEqual(Array.from({ length: 8 }, () => 200));
});

/** Answers well, breaks off or resets by turns. */
function chaos(seed: number): Script {
  let turnNumber = seed;
  return (turn) => {
    turnNumber += 1;
    const kind = turnNumber % 5;
    if (kind === 0) turn.reset();
    else if (kind === 1) turn.json(503, { error: { message: 'Loading model' } });
    else if (kind === 2) turn.json(200, { ok: true });
    else {
      turn.stream();
      turn.chunk(chatEvent('a'));
      if (kind === 3) turn.reset();
      else turn.endChunks();
    }
  };
}
