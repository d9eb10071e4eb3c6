import { expect, test } from 'vitest';
import { chatEvent } from '../fake-upstream.ts';
import { chat, dial, post, postChat, start, until } from '../harness.ts';

test('rule 4: every read is passed on at once', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    turn.chunk(chatEvent('first'));
    await turn.closed;
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the first event has come', () => wire.text().includes('first'));
  expect(wire.text()).toMatch(/X-Accel-Buffering: no/i);
  expect(wire.text()).toMatch(/Cache-Control: no-cache, no-transform/i);
  wire.socket.destroy();
});

test('rule 4: the head of a stream does not wait for its first event', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    await turn.closed;
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the head has come', () => wire.text().includes('\r\n\r\n'));
  expect(wire.text()).toMatch(/^HTTP\/1\.1 200 /);
  wire.socket.destroy();
});

test('rule 4: a client that reads slowly slows the engine down and gets everything', async () => {
  const event = chatEvent('y'.repeat(50_000));
  const count = 400;
  const { upstream, gateway } = await start((turn) => {
    turn.stream();
    for (let i = 0; i < count; i += 1) turn.chunk(event);
    turn.endChunks();
  });
  // Until the body is asked for, fetch reads little of it.
  const reply = await postChat(gateway.url, { stream: true });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(event.repeat(count));
  // In the time that another got all, the gateway has not taken in what this one does not read.
  expect(upstream.unsent()).toBeGreaterThan((event.length * count) / 4);
  expect(await reply.text()).toBe(event.repeat(count));
  expect(upstream.unsent()).toBe(0);
});
