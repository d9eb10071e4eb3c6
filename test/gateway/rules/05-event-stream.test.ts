import { expect, test } from 'vitest';
import { chatEvent, chunkOf, doneEvent, usageEvent } from '../fake-upstream.ts';
import { postChat, start } from '../harness.ts';

test.each([1, 2, 3, 7, 50, 1000])(
  'rule 5: framing split into reads of %i bytes changes nothing',
  async (size) => {
    const events = [...['Hä', '€', '😀'].map(chatEvent), usageEvent, doneEvent].join('');
    const chunks = Buffer.concat([
      chunkOf(events.slice(0, 11)),
      chunkOf(events.slice(11, 300)),
      chunkOf(events.slice(300)),
      Buffer.from('0\r\nX-Trailer: yes\r\n\r\n'),
    ]);
    const { gateway } = await start(async (turn) => {
      turn.stream();
      for (let at = 0; at < chunks.length; at += size) {
        turn.write(chunks.subarray(at, at + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      turn.done();
    });
    const stripped = await postChat(gateway.url, { stream: true });
    expect(await stripped.text()).toBe(events.replace(usageEvent, ''));
    const asked = await postChat(gateway.url, { stream: true, stream_options: { include_usage: true } });
    expect(await asked.text()).toBe(events);
  },
);

test('rule 5: events with an empty list that are no usage events stay, and so do comments', async () => {
  const events = [
    ': ping\n\n',
    `data: ${JSON.stringify({ choices: [], prompt_filter_results: [], usage: null })}\n\n`,
    chatEvent('"choices":[] "usage":{} []'),
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [] } }] })}\n\n`,
  ];
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const event of events) turn.chunk(event);
    turn.endChunks();
  });
  // No [DONE] is made up where the engine sent none.
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(events.join(''));
});

test('rule 5: an event that ends in CRLF is whole, and goes out before one that never is', async () => {
  const whole = chatEvent('whole').replaceAll('\n', '\r\n');
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(`${whole}data: {"half`);
    turn.reset();
  });
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text.startsWith(`${whole}data: {"error":`)).toBe(true);
});
