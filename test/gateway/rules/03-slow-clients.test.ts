import { expect, test } from 'vitest';
import { chat, dial, movableClock, post, start, until } from '../harness.ts';

const clientMs = 60_000;

test('rule 3: a client that reads nothing of its reply is given up, and its slot goes to the next', async () => {
  const clock = movableClock();
  const { gateway, upstream } = await start(
    (turn) => {
      turn.stream();
      const part = Buffer.alloc(256 * 1024, 'x');
      for (let i = 0; i < 64; i += 1) turn.chunk(part);
    },
    { clock, upstream: { slots: 1 }, limits: { clientMs, idleMs: 10 * clientMs } },
  );
  const deaf = await dial(gateway.port, post('/v1/chat/completions', chat()));
  deaf.socket.pause();
  await until('its reply waits', async () => {
    return upstream.seen.length === 1 && (await gateway.metric('berth_gateway_inflight')) === 1;
  });
  upstream.setScript((turn) => turn.json(200, { ok: true }));
  const next = fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: chat() });
  await until('the next one waits for the slot', async () => {
    return (await gateway.metric('berth_gateway_queue_depth')) === 1;
  });
  // Nothing of the reply went on within this time.
  await until('the client is given up', async () => {
    clock.advance(1000);
    return (await gateway.metric('berth_gateway_upstream_aborts_total', 'client-stalled')) === 1;
  });
  expect((await next).status).toBe(200);
  expect(upstream.seen[0]?.cut).toBe(true);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="499"')).toBe(1);
  deaf.socket.resume();
  await deaf.closed;
  expect(deaf.text()).not.toContain('\r\n0\r\n\r\n');
});

test('rule 3: a client that takes none of its finished replies does not keep its connection', async () => {
  const { gateway } = await start((turn) => turn.json(200, {}), { limits: { clientMs: 300 } });
  const deaf = await dial(gateway.port, 'GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40_000));
  deaf.socket.pause();
  await until('it is cut', async () => (await gateway.metric('berth_gateway_unread_replies_total')) === 1);
  deaf.socket.resume();
  await deaf.closed;
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200);
});
