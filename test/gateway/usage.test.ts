import { expect, test } from 'vitest';
import { start } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rule 14 beyond chat: tokens are counted wherever the engine tells them, in the words of each API. */

async function counted(gateway: RunningGateway): Promise<[input: number, output: number, estimated: number]> {
  const name = 'berth_gateway_tokens_total';
  return [
    await gateway.metric(name, 'direction="input",source="engine"'),
    await gateway.metric(name, 'direction="output",source="engine"'),
    await gateway.metric(name, 'source="estimate"'),
  ];
}

async function after(path: string, reply: unknown): Promise<[number, number, number]> {
  const { gateway } = await start((turn) => turn.json(200, reply));
  await (await fetch(gateway.url + path, { method: 'POST', body: '{"model":"m"}' })).text();
  return counted(gateway);
}

/** A stream of named events, each in a chunk of its own. */
async function afterStream(
  path: string,
  events: readonly { type: string }[],
): Promise<[number, number, number]> {
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const event of text) turn.chunk(event);
    turn.endChunks();
  });
  const body = '{"model":"m","stream":true}';
  const reply = await fetch(gateway.url + path, { method: 'POST', body });
  expect(await reply.text()).toBe(text.join(''));
  return counted(gateway);
}

const content = [{ type: 'text', text: 'The word "usage":{"input_tokens":99} in an answer is no usage.' }];

test("Anthropic's messages count what came from a cache, too", async () => {
  const usage = { cache_read_input_tokens: 4, input_tokens: 7, output_tokens: 3 };
  expect(await after('/v1/messages', { type: 'message', content, usage })).toEqual([11, 3, 0]);
});

test.each([2, 400])(
  "Anthropic's streams tell of the prompt at their beginning and of the answer at their end (%i events between)",
  async (between) => {
    const start_ = {
      type: 'message_start',
      message: {
        id: 'msg_1',
        content: [],
        usage: { input_tokens: 20, cache_creation_input_tokens: 5, output_tokens: 1 },
      },
    };
    const deltas = Array.from({ length: between }, (_, index) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: `word ${index} ` },
    }));
    const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 17 } };
    const events = [start_, ...deltas, end, { type: 'message_stop' }];
    expect(await afterStream('/v1/messages', events)).toEqual([25, 17, 0]);
  },
);

const responsesUsage = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 10 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 42,
};
const tools = [
  { type: 'function', name: 'usage', parameters: { properties: { usage: { type: 'object' } } } },
];

test('Responses tell it in their last event, whatever else there is called usage', async () => {
  const base = { id: 'resp_1', object: 'response', output: [] };
  const plain = { ...base, usage: responsesUsage, tools, metadata: { usage: 'none' } };
  expect(await after('/v1/responses', plain)).toEqual([30, 12, 0]);
  const events = [
    { type: 'response.created', response: { ...base, tools, usage: null } },
    ...Array.from({ length: 100 }, () => ({ type: 'response.output_text.delta', delta: 'more text' })),
    { type: 'response.completed', response: { ...base, usage: responsesUsage, tools } },
  ];
  expect(await afterStream('/v1/responses', events)).toEqual([30, 12, 0]);
});

const vector = Array.from({ length: 2000 }, (_, i) => i / 2000);

test.each([
  ['/v1/embeddings', { usage: { prompt_tokens: 8, total_tokens: 8 }, data: [{ embedding: vector }] }, 8, 0],
  ['/v1/embeddings', { data: [{ embedding: vector }], usage: { prompt_tokens: 8, total_tokens: 8 } }, 8, 0],
  ['/v1/rerank', { results: [], usage: { prompt_tokens: 21, total_tokens: 21 } }, 21, 0],
  ['/v1/audio/speech', { usage: { input_tokens: 4, output_tokens: 90 } }, 4, 90],
  ['/v1/messages/count_tokens', { input_tokens: 11 }, 0, 0],
  ['/tokenize', { tokens: [1, 2, 3] }, 0, 0],
])('%s is counted by what the engine says', async (path, reply, input, output) => {
  expect(await after(path, reply)).toEqual([input, output, 0]);
});
