import { expect, test } from 'vitest';
import { chatEvent, doneEvent, usage, usageEvent, wellBehaved, wholeStream } from '../fake-upstream.ts';
import { chat, dial, post, postChat, start, until } from '../harness.ts';

test('rule 14: tokens of a stream that the client left are estimated from its events', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const text of ['a', 'b', 'c', 'd']) turn.chunk(chatEvent(text));
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('all came', () => wire.text().includes('"d"'));
  wire.socket.destroy();
  await until(
    'they are counted',
    async () => (await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')) > 0,
  );
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="estimate"')).toBe(4);
});

test('rule 14: a stream reaches the client byte for byte, without the usage event that it did not ask for', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const reply = await postChat(gateway.url, { stream: true });
  expect(reply.status).toBe(200);
  expect(await reply.text()).toBe(wholeStream);
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"')).toBe(3);
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="input",source="engine"')).toBe(7);
});

test('rule 14: a client that asked for usage gets the usage event, and the body goes through unchanged', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const asked = { stream: true, stream_options: { include_usage: true } };
  const reply = await postChat(gateway.url, asked);
  expect(await reply.text()).toBe(wholeStream.replace(doneEvent, usageEvent + doneEvent));
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject(asked);
});

test('rule 14: a usage event that ends in CRLF and spaces in its JSON is found as well', async () => {
  const spaced = `data: ${JSON.stringify({ choices: [], usage }).replaceAll(':', ': ')}\r\n\r\n`;
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('a') + spaced);
    turn.chunk(doneEvent);
    turn.endChunks();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(chatEvent('a') + doneEvent);
});
