import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  countOf,
  metric,
  openStream,
  post,
  randomModel,
  startReady,
  until,
  wordsOf,
} from '../support/embedded.ts';
import type { Json, Running } from '../support/embedded.ts';

let model: Awaited<ReturnType<typeof randomModel>>;
let engine: Running;
const content = 'Hello there';
const hello = { messages: [{ role: 'user', content }], max_tokens: 12, temperature: 0 };

beforeAll(async () => {
  model = await randomModel();
  engine = await startReady(model.path, ['--alias', 'random', '--slots', '2', '--context', '512']);
});

afterAll(async () => {
  engine?.kill('SIGKILL');
  await engine?.exited;
  model?.remove();
});

function ask(more: object): ReturnType<typeof post> {
  return post(engine, '/v1/messages', { ...hello, ...more });
}

/** Events by name, with their data. */
function eventsIn(text: string): [name: string, data: Json][] {
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
      return [name, JSON.parse(data) as Json];
    });
}

test("a message is the chat's answer in Anthropic's shape, whole and as a stream", async () => {
  const chat = (await post(engine, '/v1/chat/completions', hello)).json();
  const text = wordsOf(chat['choices']?.[0]?.['message']?.['content']);
  const whole = (await ask({})).json();
  expect(whole).toMatchObject({
    type: 'message',
    role: 'assistant',
    model: 'random',
    stop_reason: 'max_tokens',
  });
  expect(whole['content']).toEqual([{ type: 'text', text }]);
  const usage = whole['usage'] as Json;
  const prompt = countOf(usage['input_tokens']) + countOf(usage['cache_read_input_tokens']);
  expect([prompt, usage['output_tokens']]).toEqual([chat['usage']?.['prompt_tokens'], 12]);
  const counted = (await post(engine, '/v1/messages/count_tokens', hello)).json();
  expect(counted).toEqual({ input_tokens: prompt });
  const events = eventsIn((await ask({ stream: true })).text);
  const names = events.map(([name]) => name);
  expect([...new Set(names)]).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  expect(events.every(([name, data]) => wordsOf(data['type']) === name)).toBe(true);
  const pieces = events.filter(([name]) => name === 'content_block_delta');
  expect(pieces.map(([, data]) => wordsOf(data['delta']?.['text'])).join('')).toBe(text);
  const last = events.find(([name]) => name === 'message_delta')?.[1];
  expect(last).toMatchObject({ delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 12 } });
});

test('system and blocks of text are read as the chat that they are', async () => {
  const system = [{ type: 'text', text: 'Be kind.' }];
  const blocks = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello ' },
        { type: 'text', text: 'there' },
      ],
    },
  ];
  const chat = [{ role: 'system', content: 'Be kind.' }, ...hello.messages];
  const said = (await post(engine, '/v1/chat/completions', { ...hello, messages: chat })).json();
  const told = (await ask({ system, messages: blocks })).json();
  expect(told['content']?.[0]?.['text']).toEqual(said['choices']?.[0]?.['message']?.['content']);
});

test('a stop sequence ends the message and is named', async () => {
  const text = wordsOf((await ask({})).json()['content']?.[0]?.['text']);
  const stop = text.slice(3, 6);
  const stopped = (await ask({ stop_sequences: ['never said', stop] })).json();
  expect(stopped).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: stop });
  expect(stopped['content']?.[0]?.['text']).toBe(text.slice(0, text.indexOf(stop)));
});

test.each([
  [{ tools: [{ name: 'weather', input_schema: {} }] }, 501, 'api_error'],
  [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 501, 'api_error'],
  [{ messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }, 400, 'invalid_request_error'],
  [{ messages: [] }, 400, 'invalid_request_error'],
  [{ messages: [{ role: 'user', content: 'long '.repeat(2000) }] }, 400, 'invalid_request_error'],
])("%j is refused in Anthropic's shape", async (more, status, type) => {
  const reply = await ask(more);
  expect([reply.status, reply.json()]).toEqual([
    status,
    { type: 'error', error: { type, message: expect.stringMatching(/\S/) } },
  ]);
});

test('a client that leaves a message frees its slot', async () => {
  const stream = openStream(engine, '/v1/messages', {
    ...hello,
    max_tokens: 400,
    stream: true,
    ignore_eos: true,
  });
  await stream.first;
  stream.leave();
  await until(async () => (await metric(engine, 'llamacpp:requests_processing')) === 0);
  expect((await ask({})).status).toBe(200);
});
