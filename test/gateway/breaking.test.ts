import { expect, test } from 'vitest';
import { chatEvent, doneEvent, startFakeUpstream, wellBehaved } from './fake-upstream.ts';
import type { Script } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, start, until } from './harness.ts';

/** Rules 6 to 9 and 22: an engine that breaks is told from one that is done, and only what is safe is tried again. */

test('a stream whose engine dies ends in an error event and without [DONE]', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    turn.reset();
  });
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text.startsWith(chatEvent('begun'))).toBe(true);
  const last = text.slice(chatEvent('begun').length);
  expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
    error: { type: 'server_error', code: 'upstream_failed', param: null },
  });
  expect(text).not.toContain('[DONE]');
  expect(await gateway.metric('berth_gateway_requests_total', 'status="502"')).toBe(1);
});

test('a stream whose engine dies within an event, within a chunk, still ends in an error event of its own', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.write(`1000\r\n${chatEvent('begun')}data: {"half`);
    setTimeout(() => turn.reset(), 50);
  });
  const text = await (
    await postChat(gateway.url, { stream: true, stream_options: { include_usage: true } })
  ).text();
  expect(text).toMatch(/data: \{"half\n\ndata: \{"error":\{.*\}\}\n\n$/);
});

test('a stream that ends without its last chunk is no success', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun') + doneEvent);
    turn.close();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"error"');
});

test('a plain reply that breaks off is broken for the client too', async () => {
  const { gateway } = await start((turn) => {
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":');
    setTimeout(() => turn.reset(), 20);
  });
  await expect(postChat(gateway.url).then((reply) => reply.text())).rejects.toThrow('terminated');
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="upstream"')).toBe(1);
});

const deaths: Record<string, Script> = {
  'before the head': (turn) => turn.reset(),
  'by closing without a byte': (turn) => turn.close(),
  'within the head': (turn) => {
    turn.write('HTTP/1.1 200 OK\r\nContent-Ty');
    turn.close();
  },
  'with garbage': (turn) => turn.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  'with both framings': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'),
  'with a header line that is none': (turn) => turn.write('HTTP/1.1 200 OK\r\nno colon here\r\n\r\n'),
  'with two lengths': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'),
  'with a head without end': (turn) => turn.write(`HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`),
};

test.each(Object.keys(deaths))('an engine that dies %s gives a 502 in OpenAI shape, once', async (name) => {
  const { upstream, gateway } = await start(deaths[name] as Script);
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(502);
  expect(reply.headers.get('x-berth-origin')).toBe('gateway');
  expect((await errorOf(reply)).code).toBe('upstream_failed');
  // A generation may have begun: it is not sent again.
  expect(upstream.seen.length).toBe(1);
  upstream.setScript(wellBehaved);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test.each(['zz\r\n', '\r\n', 'fffffffffffff\r\n', '5\r\nhelloX'])(
  'broken chunked framing (%j) ends the stream with an error',
  async (framing) => {
    const { gateway } = await start((turn) => {
      turn.stream();
      turn.chunk(chatEvent('a'));
      turn.write(framing);
    });
    expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"error"');
  },
);

test('nobody listening gives a 503 with the time to come back', async () => {
  const upstream = await startFakeUpstream(() => {});
  await upstream.stop();
  const gateway = await front(configFor([{ url: upstream.url }]));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await errorOf(reply)).code).toBe('no_healthy_instance');
});

test('a refused connection is tried at another instance, the dead one is left alone and later probed', async () => {
  const dead = await startFakeUpstream(wellBehaved);
  await dead.stop();
  const alive = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: dead.url }, { url: alive.url }]));
  for (let i = 0; i < 6; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(alive.seen.length).toBe(6);
  expect(await gateway.metric('berth_gateway_retries_total', 'reason="refused"')).toBe(1);
  expect(await gateway.metric('berth_gateway_breaker_state', 'upstream="u0"')).toBe(2);
  const back = await startFakeUpstream(wellBehaved, dead.port);
  try {
    await until('it is probed', async () => {
      expect((await postChat(gateway.url)).status).toBe(200);
      return back.seen.length > 0;
    });
    expect(await gateway.metric('berth_gateway_breaker_state', 'upstream="u0"')).toBe(0);
  } finally {
    await back.stop();
  }
});

test.each([502, 503, 429])('a %i of one instance is tried at another that has room', async (status) => {
  const loading = await engine((turn) => turn.json(status, { error: { message: 'Loading model' } }));
  const ready = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: loading.url }, { url: ready.url }]));
  for (let i = 0; i < 4; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(loading.seen.length).toBeGreaterThan(0);
  // An engine that answers is alive, whatever it answers.
  expect(await gateway.metric('berth_gateway_breaker_state')).toBe(0);
});

test('retries stop when they are more than a fifth of the requests', async () => {
  const loading = await engine((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const also = await engine((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const gateway = await front(configFor([{ url: loading.url }, { url: also.url }]));
  for (let i = 0; i < 30; i += 1) expect((await postChat(gateway.url)).status).toBe(503);
  expect(await gateway.metric('berth_gateway_retries_total')).toBeLessThanOrEqual(10 + 30 / 5);
});

test.each([400, 404, 422, 500])(
  'a %i of the engine is passed on as it is and not tried again',
  async (status) => {
    const body = { error: { message: 'no', code: status } };
    const { upstream, gateway } = await start((turn) => turn.json(status, body, 'X-Engine: 1\r\n'));
    const reply = await postChat(gateway.url, { stream: true });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('x-berth-origin')).toBe('upstream');
    expect(await reply.json()).toEqual(body);
    expect(upstream.seen.length).toBe(1);
  },
);

test('an engine that is loading is passed on as 503 with the time to come back', async () => {
  const { gateway } = await start((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('connections are used again, the latest first', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  for (let i = 0; i < 5; i += 1) await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(1);
});

test('a kept connection that the engine has closed meanwhile costs the client nothing', async () => {
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
])('an engine that %s gets a new connection each time', async (_, header) => {
  const { upstream, gateway } = await start((turn) => turn.json(200, {}, header));
  for (let i = 0; i < 3; i += 1) await (await postChat(gateway.url)).text();
  expect(upstream.connections()).toBe(3);
});

test('an engine that closes after each stream, though it said keep-alive, breaks no request', async () => {
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

test('an engine that goes silent within a stream is given up after the idle time', async () => {
  const { upstream, gateway } = await start(
    (turn) => {
      turn.stream();
      turn.chunk(chatEvent('a'));
    },
    { limits: { idleMs: 200 } },
  );
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text).toContain('"code":"upstream_timeout"');
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
});

test('a prefill may take longer than any time limit', async () => {
  const go = Promise.withResolvers<void>();
  const { gateway } = await start(
    async (turn) => {
      await go.promise;
      turn.json(200, { ok: true });
    },
    { limits: { idleMs: 100, connectMs: 100, queueMs: 100 } },
  );
  const reply = postChat(gateway.url);
  setTimeout(() => go.resolve(), 600);
  expect((await reply).status).toBe(200);
});

test('an address that swallows connections is given up after the connect time', async () => {
  // TEST-NET-1: packets to it go nowhere, or the network refuses at once; both are no connection.
  const gateway = await front(configFor([{ url: 'http://192.0.2.1:9' }], { limits: { connectMs: 200 } }));
  const reply = await postChat(gateway.url);
  expect([503, 504]).toContain(reply.status);
  await errorOf(reply);
});
