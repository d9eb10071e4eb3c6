import { expect, test } from 'vitest';
import { chatEvent } from '../fake-upstream.ts';
import { configFor, errorOf, front, postChat, start, until } from '../harness.ts';

test('rule 9: an engine that goes silent within a stream is given up after the idle time', async () => {
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

test('rule 9: a prefill may take longer than any time limit', async () => {
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

test('rule 9: an address that swallows connections is given up after the connect time', async () => {
  // TEST-NET-1: packets to it go nowhere, or the network refuses at once; both are no connection.
  const gateway = await front(configFor([{ url: 'http://192.0.2.1:9' }], { limits: { connectMs: 200 } }));
  const reply = await postChat(gateway.url);
  expect([503, 504]).toContain(reply.status);
  await errorOf(reply);
});
