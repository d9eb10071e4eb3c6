import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chatEvent, doneEvent } from '../fake-upstream.ts';
import type { FakeUpstream, Turn } from '../fake-upstream.ts';
import { dial, engine, postChat, start, turnedClock, until } from '../harness.ts';

test('rule 8: connections are used again, the latest first', async () => {
  const held: Turn[] = [];
  const { upstream, gateway } = await start((turn) => void held.push(turn), { clock: turnedClock() });
  const both = [postChat(gateway.url), postChat(gateway.url)];
  await until('each has a connection', () => held.length === 2);
  for (const [i, turn] of held.entries()) {
    turn.json(200, {});
    await until('it is free', async () => (await gateway.metric('berth_gateway_inflight')) === 1 - i);
  }
  for (const reply of both) await (await reply).text();
  const latest = held[1]?.request.connection;
  upstream.setScript((turn) => turn.json(200, {}));
  for (let i = 0; i < 5; i += 1) await (await postChat(gateway.url)).text();
  expect(upstream.seen.slice(2).map(({ connection }) => connection)).toEqual(Array(5).fill(latest));
  expect(upstream.connections()).toBe(2);
});

test('rule 8: a kept connection that the engine has closed meanwhile costs the client nothing', async () => {
  const { upstream, gateway } = await start((turn) => turn.json(200, { n: 1 }));
  await (await postChat(gateway.url)).text();
  // The engine drops the next request on the kept connection without an answer, as if it had just timed out.
  upstream.setScript((turn) => {
    if (turn.request.connection === 0) turn.reset();
    else turn.json(200, { n: 2 });
  });
  expect(await (await postChat(gateway.url)).json()).toEqual({ n: 2 });
});

test.each([
  ['says Connection: close', 'Connection: close\r\n'],
  ['allows one request a connection', 'Keep-Alive: timeout=5, max=1\r\n'],
  ['keeps connections for less than a second', 'Keep-Alive: timeout=1\r\n'],
])('rule 8: an engine that %s gets a new connection each time', async (_, header) => {
  const { upstream, gateway } = await start((turn) => turn.json(200, {}, header));
  for (let i = 0; i < 3; i += 1) await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(3);
});

test('rule 8: an engine that closes after each stream, though it said keep-alive, breaks no request', async () => {
  const { gateway } = await start((turn) => {
    if (turn.request.body.includes('"stream":true')) {
      turn.stream();
      turn.chunk(chatEvent('a') + doneEvent);
      turn.write('0\r\n\r\n');
      turn.close();
    } else turn.json(200, {});
  });
  for (let i = 0; i < 6; i += 1) {
    expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('[DONE]');
    expect((await postChat(gateway.url)).status).toBe(200);
  }
});

test('rule 8: a connection is let go before the five seconds after which engines close it', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start((turn) => turn.json(200, {}), { clock });
  for (let i = 0; i < 3; i += 1) {
    await (await postChat(gateway.url)).text();
    clock.advance(4100);
  }
  expect(upstream.connections()).toBe(3);
});

/** The engine hears of an end after the gateway, on a busy machine later still. */
const soon = { timeout: 5000 };

/** Has the engine answer so many at once, each on a connection of its own. */
async function answerAtOnce(
  { upstream, gateway }: { upstream: FakeUpstream; gateway: { readonly url: string } },
  count: number,
): Promise<void> {
  const held: Turn[] = [];
  upstream.setScript((turn) => {
    if (turn.request.method === 'GET') turn.json(200, {});
    else held.push(turn);
  });
  const replies = Array.from({ length: count }, () => postChat(gateway.url));
  await until('each has a connection', () => held.length === count);
  for (const turn of held) turn.json(200, {});
  for (const reply of replies) await (await reply).text();
  upstream.setScript((turn) => turn.json(200, {}));
  await someTicks();
}

/** Uses one connection and leaves it for as long as the usual ones are kept, so that it is tried. */
async function leaveOne(gateway: { readonly url: string }, clock: { advance: (ms: number) => void }) {
  await (await postChat(gateway.url)).text();
  clock.advance(4100);
  await someTicks();
}

/** The gateway looks at its connections each tenth of a second. */
function someTicks(): Promise<void> {
  return setTimeout(300);
}

test('rule 8: where connections are seen to live for longer than five seconds, others are used again for longer', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start((turn) => turn.json(200, {}), { clock });
  await answerAtOnce({ upstream, gateway }, 3);
  await leaveOne(gateway, clock);
  clock.advance(20_000);
  await someTicks();
  for (let i = 0; i < 3; i += 1) {
    await (await postChat(gateway.url)).text();
    clock.advance(18_000);
    await someTicks();
  }
  // One is tried and was not used again; it had lived for 24 s, and has for 78 s by now.
  expect(upstream.connections()).toBe(4);
  clock.advance(43_000);
  await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(5);
});

test('rule 8: an engine that closes the one that is tried is not tried again', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start(() => {}, { clock });
  await answerAtOnce({ upstream, gateway }, 2);
  await leaveOne(gateway, clock);
  await expect.poll(upstream.open, soon).toBe(1);
  upstream.closeUnused();
  await until('it is closed', () => upstream.open() === 0);
  for (let i = 0; i < 3; i += 1) {
    await leaveOne(gateway, clock);
    await until('it is let go', () => upstream.open() === 0);
    clock.advance(60_000);
  }
  expect(upstream.connections()).toBe(5);
});

test('rule 8: once an engine closes one that it would have kept before, others are used again for four seconds only', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start(() => {}, { clock });
  await answerAtOnce({ upstream, gateway }, 3);
  await leaveOne(gateway, clock);
  clock.advance(80_000);
  await someTicks();
  await leaveOne(gateway, clock);
  await expect.poll(upstream.open, soon).toBe(1);
  upstream.closeUnused();
  await until('it is closed', () => upstream.open() === 0);
  await (await postChat(gateway.url)).text();
  clock.advance(4100);
  await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(6);
});

test('rule 8: an engine that has ended is tried anew once it is there again', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start(() => {}, { clock });
  await answerAtOnce({ upstream, gateway }, 2);
  await leaveOne(gateway, clock);
  await expect.poll(upstream.open, soon).toBe(1);
  await upstream.stop();
  expect((await postChat(gateway.url)).status).toBe(503);
  clock.advance(60_000);
  const later = await engine(() => {}, upstream.port);
  await answerAtOnce({ upstream: later, gateway }, 2);
  await leaveOne(gateway, clock);
  await expect.poll(later.open, soon).toBe(1);
});

test('rule 8: after a check that got no answer the next one is asked on a new connection', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start(() => {}, { clock, upstream: { healthPath: '/health' } });
  await answerAtOnce({ upstream, gateway }, 4);
  await leaveOne(gateway, clock);
  // Others are left unused for a minute from now on.
  clock.advance(80_000);
  await someTicks();
  await answerAtOnce({ upstream, gateway }, 4);
  const made = upstream.connections();
  const checks: number[] = [];
  upstream.setScript((turn) => void checks.push(turn.request.connection));
  for (let i = 1; i <= 2; i += 1) {
    clock.advance(5100);
    await until('it is asked how it is', () => checks.length === i);
    await someTicks();
    clock.advance(5100);
    await until('no more is waited for', () => upstream.seen.filter(({ cut }) => cut).length === i);
  }
  expect(checks[0]).toBeLessThan(made);
  expect(checks[1]).toBeGreaterThanOrEqual(made);
});

test('rule 8: an engine that announces how long it keeps them is not tried for longer', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start(() => {}, { clock });
  await answerAtOnce({ upstream, gateway }, 2);
  upstream.setScript((turn) => turn.json(200, {}, 'Keep-Alive: timeout=5\r\n'));
  for (let i = 0; i < 2; i += 1) await Promise.all([postChat(gateway.url), postChat(gateway.url)]);
  clock.advance(4100);
  await someTicks();
  await expect.poll(upstream.open, soon).toBe(0);
});

test('rule 8: an engine may announce a shorter time, and is believed', async () => {
  const clock = turnedClock();
  const { upstream, gateway } = await start((turn) => turn.json(200, {}, 'Keep-Alive: timeout=3\r\n'), {
    clock,
  });
  await (await postChat(gateway.url)).text();
  await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(1);
  clock.advance(2100);
  await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(2);
});

test('rule 8: an engine that closes each connection after a hundred requests, unannounced, breaks none', async () => {
  const served = new Map<number, number>();
  const { upstream, gateway } = await start(
    (turn) => {
      const { connection } = turn.request;
      const count = (served.get(connection) ?? 0) + 1;
      served.set(connection, count);
      if (count > 100) turn.close();
      else turn.json(200, {});
    },
    { clock: turnedClock() },
  );
  for (let i = 0; i < 250; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(upstream.connections()).toBe(3);
});

test('rule 8: a client may use its connection again for longer than the usual proxies keep theirs', async () => {
  const { gateway } = await start((turn) => turn.json(200, {}));
  const wire = await dial(gateway.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('it is answered', () => wire.text().includes('"ok"'));
  const seconds = Number(/^Keep-Alive: timeout=(\d+)\r$/im.exec(wire.text())?.[1]);
  // Those of nginx and of load balancers in clouds are 60.
  expect(seconds).toBeGreaterThanOrEqual(75);
  wire.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('it is answered again', () => wire.text().split('"ok"').length === 3);
  wire.socket.destroy();
});
