import { expect, test } from 'vitest';
import { chatEvent, doneEvent, usageEvent } from '../fake-upstream.ts';
import type { Script } from '../fake-upstream.ts';
import { chat, dial, movableClock, post, postChat, start, until } from '../harness.ts';
import type { RunningGateway } from '../harness.ts';

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

test.each(Object.keys(phases))(
  'rule 1: a client that leaves %s frees the engine and its slot',
  async (name) => {
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
  },
);

test('rule 1: a client that leaves the queue never reaches the engine, and those behind it move up', async () => {
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

test('rule 1: a client that leaves while its body is on the way is counted and forgotten', async () => {
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

test('rule 1: one client that leaves disturbs no other stream of the engine', async () => {
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

const drains = { onClientAbort: { bytes: 10_000, ms: 30_000 } };

test('rule 1: an engine that must not be cut off is read to its end, and keeps its slot until then', async () => {
  const finish = Promise.withResolvers<void>();
  const { upstream, gateway } = await start(
    async (turn) => {
      turn.stream();
      turn.chunk(chatEvent('begun'));
      await finish.promise;
      turn.chunk(chatEvent('more') + usageEvent + doneEvent);
      turn.endChunks();
    },
    { upstream: { slots: 1, ...drains } },
  );
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('it has begun', () => wire.text().includes('begun'));
  wire.socket.destroy();
  const next = postChat(gateway.url);
  await until('the next waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  upstream.setScript((turn) => turn.json(200, { next: true }));
  finish.resolve();
  expect(await (await next).json()).toEqual({ next: true });
  expect(upstream.seen[0]?.cut).toBe(false);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="499"')).toBe(1);
  expect(await gateway.metric('berth_gateway_upstream_aborts_total')).toBe(0);
});

test('rule 1: what is read for a client that has left is bounded by bytes', async () => {
  const { upstream, gateway } = await start(
    async (turn) => {
      turn.stream();
      await until('the engine is cut off', () => {
        turn.chunk(chatEvent('more'));
        return turn.request.cut;
      });
    },
    { upstream: { onClientAbort: { bytes: 5000, ms: 3_600_000 } } },
  );
  await leaveMidway(gateway);
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
  await until('the slot is free', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="client"')).toBe(1);
});

test('rule 1: what is read for a client that has left is bounded by time', async () => {
  const clock = movableClock();
  const { upstream, gateway } = await start(
    (turn) => {
      turn.stream();
      turn.chunk(chatEvent('more'));
    },
    {
      upstream: { onClientAbort: { bytes: 5000, ms: 30_000 } },
      limits: { idleMs: 1_000_000_000 },
      clock,
    },
  );
  await leaveMidway(gateway);
  await until('the engine is cut off', () => {
    clock.advance(10_000);
    return upstream.seen[0]?.cut === true;
  });
  await until('the slot is free', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="client"')).toBe(1);
});

async function leaveMidway(gateway: RunningGateway): Promise<void> {
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('it has begun', () => wire.text().includes('more'));
  wire.socket.destroy();
}
