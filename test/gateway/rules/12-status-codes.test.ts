import { expect, test } from 'vitest';
import { startFakeUpstream } from '../fake-upstream.ts';
import { configFor, errorOf, front, postChat, start } from '../harness.ts';

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
