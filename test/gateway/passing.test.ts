import { expect, test } from 'vitest';
import { wellBehaved, wholeStream } from './fake-upstream.ts';
import { chat, dial, post, postChat, start } from './harness.ts';

test('replies without chunks, with a length or ended by closing, pass whole', async () => {
  const text = 'x'.repeat(300_000);
  const { upstream, gateway } = await start((turn) => turn.json(200, { text }));
  expect(await (await postChat(gateway.url)).json()).toEqual({ text });
  upstream.setScript((turn) => {
    turn.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${wholeStream}`);
    turn.close();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(wholeStream);
});

test('a client of HTTP/1.0 gets the stream without chunks', async () => {
  const { gateway } = await start(wellBehaved);
  const wire = await dial(
    gateway.port,
    post('/v1/chat/completions', chat({ stream: true })).replace('HTTP/1.1', 'HTTP/1.0'),
  );
  await wire.closed;
  expect(wire.text().split('\r\n\r\n')[1]).toBe(wholeStream);
});

test('interim replies of the engine are passed over', async () => {
  const { gateway } = await start((turn) => {
    turn.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
    turn.json(200, { ok: true });
  });
  expect(await (await postChat(gateway.url)).json()).toEqual({ ok: true });
});
