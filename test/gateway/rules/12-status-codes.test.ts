import { expect, test } from 'vitest';
import { startFakeUpstream } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import { configFor, errorOf, front, postChat, start, until } from '../harness.ts';
import { stage } from '../on-demand-stage.ts';

test('rule 12: nobody listening gives a 503 with the time to come back', async () => {
  const upstream = await startFakeUpstream(() => {});
  await upstream.stop();
  const gateway = await front(configFor([{ url: upstream.url }]));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await errorOf(reply)).code).toBe('no_healthy_instance');
});

test('rule 12: a 429 of an engine that names no time is given one, and one that names it keeps it', async () => {
  const named = ['Retry-After: 7\r\n', ''];
  const { gateway } = await start((turn) =>
    turn.json(429, { error: { message: 'Slow down' } }, named.shift()),
  );
  const replies = [await postChat(gateway.url), await postChat(gateway.url)];
  expect(replies.map((reply) => reply.status)).toEqual([429, 429]);
  expect(replies[0]?.headers.get('retry-after')).toBe('7');
  expect(Number(replies[1]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('rule 12: an engine that is loading is passed on as 503 with the time to come back', async () => {
  const { gateway } = await start((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('rule 12: the time to come back is what the line in front takes, and not the same for all', async () => {
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    upstream: { slots: 2 },
    limits: { queue: 20 },
  });
  const served = Array.from({ length: 22 }, () => postChat(gateway.url));
  await until('the line is full', async () => (await gateway.metric('berth_gateway_queue_depth')) === 20);
  const waits: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const refused = await postChat(gateway.url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([
      429,
      expect.stringMatching(/^\d+$/),
    ]);
    waits.push(Number(refused.headers.get('retry-after')));
  }
  // Ten and a half rounds, each of a second as long as nothing was measured, and up to half of that more.
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(11);
  expect(Math.max(...waits)).toBeLessThanOrEqual(16);
  expect(new Set(waits).size).toBeGreaterThan(1);
  for (let i = 0; i < served.length; i += 1) {
    await until('one is there', () => held.length > 0);
    held.shift()?.json(200, {});
  }
  expect((await Promise.all(served)).map(({ status }) => status)).toEqual(served.map(() => 200));
});

test('rule 12: where nothing tells how long it will take, those who are sent away do not all come back at once', async () => {
  const gateway = await front(configFor([], { routes: [{ ...route, name: 'm', aliasOf: null }] }));
  const waits: number[] = [];
  for (let i = 0; i < 16; i += 1) {
    const refused = await postChat(gateway.url);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([503, 'no_healthy_instance']);
    waits.push(Number(refused.headers.get('retry-after')));
  }
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
  expect(new Set(waits).size).toBeGreaterThan(1);
});

test('rule 12: who waits for a load is told its expected time, and not all the same', async () => {
  const { gateway } = await stage(
    { a: { loadMs: 40_000, startTimeoutMs: 1 } },
    { config: { limits: { queueMs: 50 } } },
  );
  const replies = await Promise.all(Array.from({ length: 16 }, () => postChat(gateway.url, { model: 'a' })));
  const waits = replies.map((reply) => Number(reply.headers.get('retry-after')));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(35);
  expect(Math.max(...waits)).toBeLessThanOrEqual(48);
  expect(new Set(waits).size).toBeGreaterThan(1);
});

const route = { to: [{ deployment: 'd', weight: 1 }] };
