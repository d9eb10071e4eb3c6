import { expect, test } from 'vitest';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, start, until } from './harness.ts';

/** Rule 23: an engine is taken out, replaced and put back without a request that notices. */

const long = 60_000;

test('a held deployment takes newcomers into its queue, and serves them all when it is released', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  await gateway.control({ do: 'hold', deployment: 'd', forMs: long });
  const replies = Array.from({ length: 10 }, () => postChat(gateway.url));
  await until('all wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 10);
  expect(upstream.seen.length).toBe(0);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  await gateway.control({ do: 'release', deployment: 'd' });
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual(Array(10).fill(200));
});

test('who waits for a held deployment past the deadline is told 503 and when to come back', async () => {
  const { gateway } = await start(wellBehaved, { limits: { queueMs: 50 } });
  await gateway.control({ do: 'hold', deployment: 'd', forMs: long });
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await errorOf(reply)).code).toBe('deployment_held');
});

test('a route may say how long its requests wait for a held deployment, longer or shorter than in a queue', async () => {
  const to = [{ deployment: 'd', weight: 1 }];
  const { upstream, gateway } = await start(wellBehaved, {
    routes: [
      { name: 'patient', to, aliasOf: null, holdMs: long },
      { name: 'hasty', to, aliasOf: null, holdMs: 1 },
      { name: 'usual', to, aliasOf: null },
    ],
    limits: { queueMs: 200 },
  });
  await gateway.control({ do: 'hold', deployment: 'd', forMs: long });
  const patient = postChat(gateway.url, { model: 'patient' });
  const hasty = await postChat(gateway.url, { model: 'hasty' });
  expect(hasty.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect([hasty.status, (await errorOf(hasty)).message]).toEqual([
    503,
    expect.stringContaining('within 1 ms'),
  ]);
  const usual = await postChat(gateway.url, { model: 'usual' });
  expect([usual.status, (await errorOf(usual)).message]).toEqual([
    503,
    expect.stringContaining('within 200 ms'),
  ]);
  expect(upstream.seen.length).toBe(0);
  await gateway.control({ do: 'release', deployment: 'd' });
  expect((await patient).status).toBe(200);
});

test('a request that waits in the queue already when a hold begins may wait as long as its route says', async () => {
  const held: Turn[] = [];
  const to = [{ deployment: 'd', weight: 1 }];
  const { gateway } = await start((turn) => void held.push(turn), {
    routes: [
      { name: 'm', to, aliasOf: null, holdMs: long },
      { name: 'usual', to, aliasOf: null },
    ],
    upstream: { slots: 1 },
    limits: { queueMs: 3000 },
  });
  const first = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const second = postChat(gateway.url);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await gateway.control({ do: 'hold', deployment: 'd', forMs: long });
  held[0]?.json(200, {});
  expect((await first).status).toBe(200);
  // It came later, and its time in the queue is over: so is that of the one that waits.
  expect((await postChat(gateway.url, { model: 'usual' })).status).toBe(503);
  expect(await gateway.metric('berth_gateway_queue_depth')).toBe(1);
  await gateway.control({ do: 'release', deployment: 'd' });
  await until('it is served', () => held.length === 2);
  held[1]?.json(200, {});
  expect((await second).status).toBe(200);
});

test('a hold whose asker is gone ends by itself', async () => {
  const { gateway } = await start(wellBehaved);
  await gateway.control({ do: 'hold', deployment: 'd', forMs: 200 });
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('a drained engine gets nothing new, others serve, and the drain is over when its last stream is', async () => {
  const held: Turn[] = [];
  const leaving = await engine((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const staying = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: leaving.url }]));
  const stream = await postChat(gateway.url, { stream: true });
  await gateway.reload(configFor([{ url: leaving.url }, { url: staying.url }]));
  const drained = gateway.control({ do: 'drain', url: leaving.url, graceMs: long, forMs: long });
  for (let i = 0; i < 5; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect([leaving.seen.length, staying.seen.length]).toEqual([1, 5]);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await stream.text()).toContain('finished');
  expect(await drained).toEqual({ left: 0 });
  await gateway.control({ do: 'resume', url: leaving.url });
  leaving.setScript(wellBehaved);
  for (let i = 0; i < 4; i += 1) await postChat(gateway.url);
  expect(leaving.seen.length).toBeGreaterThan(1);
});

test('a drain that takes too long says how many requests are left', async () => {
  const { upstream, gateway } = await start((turn) => turn.stream());
  void postChat(gateway.url, { stream: true });
  await until('it is under way', () => upstream.seen.length === 1);
  const drain = { do: 'drain', url: upstream.url, graceMs: 10, forMs: long } as const;
  expect(await gateway.control(drain)).toEqual({ left: 1 });
  const refused = await postChat(gateway.url);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([
    503,
    expect.stringMatching(/^[1-9]\d*$/),
  ]);
});

test('an engine that a reload took away can be drained as long as it still streams', async () => {
  const held: Turn[] = [];
  const { upstream, gateway } = await start((turn) => {
    held.push(turn);
    turn.stream();
  });
  const other = await engine(wellBehaved);
  const stream = await postChat(gateway.url, { stream: true });
  await gateway.reload(configFor([{ url: other.url }]));
  const drained = gateway.control({ do: 'drain', url: upstream.url, graceMs: long, forMs: long });
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await stream.text()).toContain('finished');
  expect(await drained).toEqual({ left: 0 });
});
