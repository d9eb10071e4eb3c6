import { expect, test } from 'vitest';
import { chatEvent, doneEvent, usage, usageEvent, wellBehaved, wholeStream } from '../fake-upstream.ts';
import { chat, dial, post, postChat, start, until } from '../harness.ts';

test('rule 14: tokens of a stream that the client left are estimated, by its bytes and its events', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const text of ['a', 'b', 'c', 'd']) turn.chunk(chatEvent(text));
  });
  const body = chat({ stream: true, user: 'x'.repeat(300_000) });
  const wire = await dial(gateway.port, post('/v1/chat/completions', body));
  await until('all came', () => wire.text().includes('"d"'));
  wire.socket.destroy();
  await until(
    'they are counted',
    async () => (await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')) > 0,
  );
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="estimate"')).toBe(4);
  const prompt = Math.ceil(body.length / 4);
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="input",source="estimate"')).toBe(
    prompt,
  );
  expect(await gateway.metric('berth_gateway_key_tokens_total', 'direction="input"')).toBe(prompt);
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

test.each([
  [
    'says that it wants none',
    '"stream_options":{"include_usage": false}',
    '"stream_options":{"include_usage": true}',
  ],
  ['says nothing of it', '"stream_options":{"x":1}', '"stream_options":{"include_usage":true,"x":1}'],
  ['has empty options', '"stream_options":{ }', '"stream_options":{"include_usage":true }'],
  ['has null for options', '"stream_options":null', '"stream_options":{"include_usage":true}'],
])(
  'rule 14: a client that %s gets no usage event, and the engine is asked for one',
  async (_, said, sent) => {
    const { upstream, gateway } = await start(wellBehaved);
    function body(options: string): string {
      return `{"model":"m", "stream":true, ${options}, "messages":[]}`;
    }
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: body(said) });
    expect(await reply.text()).toBe(wholeStream);
    expect(upstream.seen[0]?.body).toBe(body(sent));
    expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"')).toBe(3);
  },
);

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

/** An event as an engine writes it that reports usage in every one. */
function running(tokens: number): string {
  const usage = { prompt_tokens: 7, completion_tokens: tokens, total_tokens: 7 + tokens };
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'several words' } }], usage })}\n\n`;
}

test('rule 14: where the engine counts in every event, its count is taken for a stream that broke off', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const tokens of [4, 9, 15]) turn.chunk(running(tokens));
    turn.reset();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"error"');
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"')).toBe(15);
  expect(await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')).toBe(0);
});

test.each([1, 5, 70, 100_000])(
  'rule 14: events are counted as events, also when they come in pieces of %i bytes',
  async (size) => {
    const events = Buffer.from(
      `: ping\n\n${['a', 'b', 'c'].map(chatEvent).join('').replaceAll('\n', '\r\n')}`,
    );
    const { gateway } = await start(async (turn) => {
      turn.stream();
      for (let at = 0; at < events.length; at += size) {
        turn.chunk(events.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      turn.close();
    });
    await (await postChat(gateway.url, { stream: true })).text();
    const estimated = 'direction="output",source="estimate"';
    expect(await gateway.metric('berth_gateway_tokens_total', estimated)).toBe(3);
  },
);

test("rule 14: llama.cpp's timings stand in where there is no usage", async () => {
  const timings = { cache_n: 2, prompt_n: 5, prompt_ms: 1.5, predicted_n: 3, predicted_ms: 9.25 };
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('a'));
    turn.chunk(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], timings })}\n\n`,
    );
    turn.chunk(doneEvent);
    turn.endChunks();
  });
  await (await postChat(gateway.url, { stream: true })).text();
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="input",source="engine"')).toBe(7);
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"')).toBe(3);
});
