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

test('rule 12: an engine that is loading is passed on as 503 with the time to come back', async () => {
  const { gateway } = await start((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});
