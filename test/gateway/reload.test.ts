import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { freePorts } from '../support/berth.ts';
import { chat, configFor, dial, engine, errorOf, front, post, postChat, start, until } from './harness.ts';

/** Rule 23: a reload disturbs nobody, and the end waits for those who are being served. */

test('rule 23: a reload keeps running streams, queued requests, connections and counts', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const config = configFor([{ url: upstream.url, slots: 1 }]);
  const gateway = await front(config);
  const streams = postChat(gateway.url, { stream: true, user: 'first' });
  await until('the first is served', () => held.length === 1);
  held[0]?.stream();
  held[0]?.chunk(chatEvent('begun'));
  const waits = postChat(gateway.url, { user: 'second' });
  await until('the second waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await gateway.reload({
    ...config,
    routes: [{ name: 'renamed', to: [{ deployment: 'd', weight: 1 }], aliasOf: null }],
  });
  expect((await postChat(gateway.url)).status).toBe(404);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(1);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await (await streams).text()).toContain('finished');
  await until('the second is served', () => held.length === 2);
  held[1]?.json(200, { ok: true });
  expect(await (await waits).json()).toEqual({ ok: true });
  held.length = 0;
  upstream.setScript(wellBehaved);
  expect((await postChat(gateway.url, { model: 'renamed' })).status).toBe(200);
  // A reply in chunks keeps its connection aside for a moment; the plain one's was used again.
  expect(upstream.connections()).toBeLessThanOrEqual(2);
});

test('rule 23: a stream of an engine that a reload takes away goes on to its end', async () => {
  const held: Turn[] = [];
  const { upstream, gateway } = await start((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const other = await engine(wellBehaved);
  const reply = await postChat(gateway.url, { stream: true });
  await gateway.reload(configFor([{ url: other.url }]));
  expect((await postChat(gateway.url)).status).toBe(200);
  expect(other.seen.length).toBe(1);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await reply.text()).toContain('finished');
  expect(upstream.seen.length).toBe(1);
});

test('rule 23: other time limits leave counts as they are, and hold for what is under way', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const one = [{ url: upstream.url, slots: 1 }];
  const gateway = await front(configFor(one));
  const stalls = postChat(gateway.url, { stream: true });
  await until('the first is served', () => held.length === 1);
  held[0]?.stream();
  held[0]?.chunk(chatEvent('begun'));
  const reply = await stalls;
  await gateway.reload(configFor(one, { limits: { idleMs: 1500 } }));
  const waits = postChat(gateway.url);
  await until('the second waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect([held.length, await gateway.metric('berth_gateway_inflight')]).toEqual([1, 1]);
  expect(await reply.text()).toContain('"code":"upstream_timeout"');
  await until('the second is served', () => held.length === 2);
  held[1]?.json(200, {});
  expect((await waits).status).toBe(200);
});

test('more slots let those who wait through at once', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const gateway = await front(configFor([{ url: upstream.url, slots: 1 }]));
  const replies = [postChat(gateway.url), postChat(gateway.url), postChat(gateway.url)];
  await until('two wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 2);
  await gateway.reload(configFor([{ url: upstream.url, slots: 3 }]));
  await until('all are served', () => held.length === 3);
  for (const turn of held) turn.json(200, {});
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual([200, 200, 200]);
});

test('rule 23: a reload that fails leaves the old config in force', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const missing = configFor([{ url: upstream.url, keyFile: '/nonexistent/key' }], { routes: [] });
  await expect(gateway.reload(missing)).rejects.toMatchObject({ code: 'FILE_MISSING' });
  expect((await postChat(gateway.url)).status).toBe(200);
});

function at(...ports: number[]): { listen: { address: string; port: number }[] } {
  return { listen: ports.map((port) => ({ address: '127.0.0.1', port })) };
}

test('a reload opens new addresses and closes those that are gone, once their requests are served', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const [first = 0, kept = 0, added = 0] = await freePorts(3);
  const shape = [{ url: upstream.url }];
  const gateway = await front(configFor(shape, { ...at(first, kept), limits: { drainMs: 10_000 } }));
  const reply = await postChat(gateway.url, { stream: true });
  await gateway.reload(configFor(shape, { ...at(kept, added), limits: { drainMs: 10_000 } }));
  for (const port of [kept, added])
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${first}/healthz`)).rejects.toThrow('fetch failed');
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await reply.text()).toContain('finished');
});

test('an address that covers the old one on the same port takes its place', async () => {
  const upstream = await engine(wellBehaved);
  const shape = [{ url: upstream.url }];
  const [port = 0] = await freePorts(1);
  const gateway = await front(configFor(shape, at(port)));
  await gateway.reload(configFor(shape, { listen: [{ address: '0.0.0.0', port }] }));
  expect((await postChat(gateway.url)).status).toBe(200);
  await gateway.reload(configFor(shape, at(port)));
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('a new address that is taken, or a fault elsewhere, leaves the old addresses open and the old config in force', async () => {
  const { upstream, gateway } = await start(wellBehaved, at(...(await freePorts(1))));
  const [free = 0] = await freePorts(1);
  const none = { routes: [] };
  await expect(gateway.reload(configFor([], { ...at(upstream.port, free), ...none }))).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    facts: { port: upstream.port },
  });
  const faulty = [{ url: upstream.url, keyFile: '/nonexistent/key' }];
  const everywhere = { listen: [{ address: '0.0.0.0', port: gateway.port }] };
  for (const listen of [at(free), everywhere])
    await expect(gateway.reload(configFor(faulty, { ...listen, ...none }))).rejects.toMatchObject({
      code: 'FILE_MISSING',
    });
  expect((await postChat(gateway.url)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${free}/healthz`)).rejects.toThrow('fetch failed');
});

test('rule 23: on its way out the gateway lets streams finish and takes nothing new', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const gateway = await front(configFor([{ url: upstream.url }], { limits: { drainMs: 10_000 } }));
  const kept = await dial(
    gateway.port,
    'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/models HTTP/1.1\r\n',
  );
  await until('a connection is kept', () => kept.text().includes('"ok"'));
  const reply = await postChat(gateway.url, { stream: true });
  const closed = gateway.close();
  await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow('fetch failed');
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await reply.text()).toContain('finished');
  kept.socket.destroy();
  await closed;
});

test('rule 23: what does not end within the drain time is told so, and noted, wherever it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth access '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'access.log');
  const log = { path, format: 'json' as const, maxBytes: 1 << 20, keep: 0 };
  let begun = 0;
  const { gateway } = await start(
    (turn) => {
      begun += 1;
      if (begun > 1) return;
      turn.stream();
      turn.chunk(chatEvent('begun'));
    },
    {
      limits: { drainMs: 100 },
      upstream: { slots: 2 },
      observe: { genAi: false, metricsKey: false, accessLog: log, tracing: null, capture: null },
    },
  );
  const stream = await postChat(gateway.url, { stream: true });
  const waiting = postChat(gateway.url);
  await until('the engine has both', () => begun === 2);
  const queued = postChat(gateway.url);
  await until('one is in line', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await gateway.close();
  const text = await stream.text();
  expect(text).toMatch(/begun.*data: \{"error":.*"code":"draining"\}\}\n\n$/s);
  for (const reply of [await waiting, await queued]) {
    expect([reply.status, (await errorOf(reply)).code]).toEqual([503, 'draining']);
    expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual(Array(3).fill('draining'));
});

test('rule 23: who does not take even the last word is cut', async () => {
  const { gateway } = await start(
    (turn) => {
      turn.stream();
      for (let i = 0; i < 64; i += 1) turn.chunk('x'.repeat(1024 * 1024));
    },
    { limits: { drainMs: 100 } },
  );
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('it has begun', () => wire.text().includes('200 OK'));
  wire.socket.pause();
  await gateway.close();
  wire.socket.resume();
  await wire.closed;
  expect(wire.text()).not.toContain('[DONE]');
});

test.each([
  ['a model', 'POST /v1/chat/completions', /"code":"draining"/],
  ['a stored response', 'POST /v1/responses/resp_1/cancel', /"code":"draining"/],
  ['a path of an engine', 'POST /upstream/m/props', /"code":"draining"/],
  ['whether it is ready', 'GET /readyz', /"status":"draining"/],
])('rule 23: while it drains, who asks for %s is told to come back later', async (_, line, said) => {
  const held: Turn[] = [];
  const { upstream, gateway } = await start((turn) => void held.push(turn), { limits: { drainMs: 60_000 } });
  const busy = postChat(gateway.url);
  await until('a request is under way', () => held.length === 1);
  // Half a request behind a whole one: it has come once that is answered, and the connection is not idle.
  const whole = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const body = chat();
  const wire = await dial(gateway.port, `${whole}${line} HTTP/1.1\r\nHost: x\r\nContent-Le`);
  await until('the whole one is answered', () => wire.text().includes('"ok"'));
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  const answered = wire.text().length;
  const closed = gateway.close();
  wire.socket.write(`ngth: ${body.length}\r\n\r\n${body}`);
  await wire.closed;
  expect(wire.text().slice(answered)).toMatch(/^HTTP\/1\.1 503 /);
  expect(wire.text().slice(answered)).toMatch(/^Retry-After: [1-9]\d*\r$/m);
  expect(wire.text().slice(answered)).toMatch(said);
  expect(upstream.seen.length).toBe(1);
  held[0]?.json(200, {});
  expect((await busy).status).toBe(200);
  await closed;
});
