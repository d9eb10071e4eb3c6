import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  countOf,
  wordsOf,
  eventsOf,
  get,
  metric,
  post,
  randomModel,
  startProgram,
  startReady,
  until,
} from '../support/embedded.ts';
import type { Running } from '../support/embedded.ts';

let model: Awaited<ReturnType<typeof randomModel>>;
let engine: Running;
const hello = { messages: [{ role: 'user', content: 'Hello there' }], seed: 1, max_tokens: 4 };

beforeAll(async () => {
  model = await randomModel();
  engine = await startReady(model.path, [
    '--alias',
    'random',
    '--slots',
    '2',
    '--context',
    '512',
    '--embeddings',
  ]);
});

afterAll(async () => {
  engine?.kill('SIGKILL');
  await engine?.exited;
  model?.remove();
});

test('while the model loads, every path says so with 503, and health turns 200 afterwards', async () => {
  const starting = await startProgram(model.path);
  const health = await get(starting, '/health');
  expect(health.status).toBe(503);
  expect(health.json()).toEqual({
    error: { message: 'Loading model', type: 'unavailable_error', code: 503 },
  });
  expect((await get(starting, '/v1/models')).status).toBe(503);
  await until(async () => (await get(starting, '/health')).status === 200);
  expect((await get(starting, '/health')).json()).toEqual({ status: 'ok' });
  starting.kill('SIGTERM');
  expect(await starting.exited).toEqual({ code: 0, signal: null });
});

test('a chat reply has the fields of llama-server', async () => {
  const reply = (await post(engine, '/v1/chat/completions', hello)).json();
  expect(Object.keys(reply).toSorted()).toEqual(
    ['choices', 'created', 'id', 'model', 'object', 'system_fingerprint', 'timings', 'usage'].toSorted(),
  );
  expect(reply).toMatchObject({
    object: 'chat.completion',
    model: 'random',
    choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant' } }],
    usage: { completion_tokens: 4, prompt_tokens_details: { cached_tokens: 0 } },
  });
  expect(Object.keys(reply['timings'] ?? {})).toEqual([
    'cache_n',
    'prompt_n',
    'prompt_ms',
    'prompt_per_token_ms',
    'prompt_per_second',
    'predicted_n',
    'predicted_ms',
    'predicted_per_token_ms',
    'predicted_per_second',
  ]);
});

test('a streamed chat opens with the role, closes with the reason and the timings, and ends with [DONE]', async () => {
  const { text, headers } = await post(engine, '/v1/chat/completions', { ...hello, stream: true });
  expect(headers.get('content-type')).toBe('text/event-stream');
  const events = eventsOf(text);
  const deltas = events.map((event) => event['choices']?.[0]?.['delta']);
  expect(deltas[0]).toEqual({ role: 'assistant', content: null });
  expect(deltas.at(-1)).toEqual({});
  expect(events.at(-1)).toMatchObject({
    choices: [{ finish_reason: 'length' }],
    timings: { predicted_n: 4 },
  });
  const whole = (await post(engine, '/v1/chat/completions', hello)).json();
  expect(
    deltas
      .slice(1, -1)
      .map((delta) => wordsOf(delta?.['content']))
      .join(''),
  ).toBe(whole['choices']?.[0]?.['message']?.['content']);
});

test('usage comes in a last chunk without choices when it is asked for', async () => {
  const body = { ...hello, stream: true, stream_options: { include_usage: true } };
  const events = eventsOf((await post(engine, '/v1/chat/completions', body)).text);
  expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4 } });
  expect(events.at(-2)).not.toHaveProperty('timings');
});

test('text completions take one text, several, or tokens', async () => {
  const one = (await post(engine, '/v1/completions', { prompt: 'The server', max_tokens: 3 })).json();
  expect(one).toMatchObject({ object: 'text_completion', usage: { completion_tokens: 3 } });
  const several = (await post(engine, '/v1/completions', { prompt: ['a', 'b'], max_tokens: 3 })).json();
  expect(several['choices']).toHaveLength(2);
  expect(several['usage']).toMatchObject({ completion_tokens: 6 });
  const tokens = (await post(engine, '/v1/completions', { prompt: [65, 66, 67], max_tokens: 3 })).json();
  expect(tokens['usage']).toMatchObject({ prompt_tokens: 3 });
});

test('what tokenize gives, detokenize turns back, and a completion counts the same', async () => {
  const text = 'The gateway streams – naïve 😀 text.';
  const { tokens } = (await post(engine, '/tokenize', { content: text })).json() as unknown as {
    tokens: number[];
  };
  expect((await post(engine, '/detokenize', { tokens })).json()).toEqual({ content: text });
  const reply = (await post(engine, '/v1/completions', { prompt: tokens, max_tokens: 1 })).json();
  expect(reply['usage']).toMatchObject({ prompt_tokens: tokens.length });
  const pieces = (
    await post(engine, '/tokenize', { content: 'Hello', with_pieces: true, add_special: true })
  ).json();
  expect(pieces['tokens']?.[0]).toMatchObject({ piece: '<|endoftext|>' });
});

test('the chat template is applied by itself as well', async () => {
  const reply = await post(engine, '/apply-template', { messages: hello.messages });
  expect(reply.json()).toEqual({
    prompt: '<|im_start|>user\nHello there<|im_end|>\n<|im_start|>assistant\n',
  });
});

test('embeddings are vectors of unit length, the same for the same text, as numbers or base64', async () => {
  const reply = (await post(engine, '/v1/embeddings', { input: ['hi', 'there', 'hi'] })).json();
  const vectors = (reply['data'] as unknown as { embedding: number[] }[]).map((one) => one.embedding);
  expect(vectors[0]).toHaveLength(128);
  expect(Math.hypot(...(vectors[0] as number[]))).toBeCloseTo(1, 5);
  expect(vectors[2]).toEqual(vectors[0]);
  expect(vectors[1]).not.toEqual(vectors[0]);
  const packed = (await post(engine, '/v1/embeddings', { input: 'hi', encoding_format: 'base64' })).json();
  const bytes = Buffer.from(wordsOf(packed['data']?.[0]?.['embedding']), 'base64');
  expect(bytes.readFloatLE(0)).toBeCloseTo(vectors[0]?.[0] as number, 5);
});

test('models, props and slots say what runs, with the context per slot', async () => {
  const models = (await get(engine, '/v1/models')).json();
  expect(models['data']?.[0]).toMatchObject({
    id: 'random',
    object: 'model',
    meta: { n_ctx: 512, n_vocab: 2048, n_embd: 128, ftype: 'Q8_0' },
  });
  expect((await get(engine, '/props')).json()).toMatchObject({
    total_slots: 2,
    model_path: model.path,
    default_generation_settings: { n_ctx: 512 },
    berth: { decoder: 'direct' },
  });
  expect((await get(engine, '/slots')).json()).toMatchObject([
    { id: 0, n_ctx: 512, is_processing: false },
    { id: 1, n_ctx: 512, is_processing: false },
  ]);
});

test('the counters move by exactly the tokens that replies report', async () => {
  const before = [
    await metric(engine, 'llamacpp:prompt_tokens_total'),
    await metric(engine, 'llamacpp:prompt_tokens_cached_total'),
    await metric(engine, 'llamacpp:tokens_predicted_total'),
  ];
  const { usage } = (await post(engine, '/v1/completions', { prompt: 'count me', max_tokens: 7 })).json();
  const cached = countOf(usage?.['prompt_tokens_details']?.['cached_tokens']);
  const after = [
    await metric(engine, 'llamacpp:prompt_tokens_total'),
    await metric(engine, 'llamacpp:prompt_tokens_cached_total'),
    await metric(engine, 'llamacpp:tokens_predicted_total'),
  ];
  expect(after.map((value, i) => value - (before[i] ?? 0))).toEqual([
    countOf(usage?.['prompt_tokens']) - cached,
    cached,
    usage?.['completion_tokens'],
  ]);
});

const long = 'word '.repeat(2000);
test.each([
  ['malformed JSON', '/v1/chat/completions', '{bad', 400, 'invalid_request_error'],
  ['JSON that is no object', '/v1/chat/completions', '7', 400, 'invalid_request_error'],
  ['no messages', '/v1/chat/completions', {}, 400, "'messages' is required"],
  ['no prompt', '/v1/completions', {}, 400, "'prompt' is required"],
  ['a field of the wrong type', '/v1/completions', { prompt: 'a', max_tokens: 'many' }, 400, 'max_tokens'],
  ['a message that is no object', '/v1/chat/completions', { messages: [5] }, 400, 'messages.0'],
  ['a prompt over the context', '/v1/completions', { prompt: long }, 400, 'exceed_context_size_error'],
  ['an empty list of tokens', '/v1/completions', { prompt: [] }, 400, 'empty'],
  ['a token the model does not have', '/v1/completions', { prompt: [999_999] }, 400, '999999'],
  [
    'an image',
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
    400,
    'image_url',
  ],
  ['logprobs', '/v1/completions', { prompt: 'a', logprobs: 1 }, 501, 'logprobs'],
  ['tools', '/v1/chat/completions', { ...hello, tools: [{}] }, 501, 'tools'],
  [
    'a JSON schema',
    '/v1/chat/completions',
    { ...hello, response_format: { type: 'json_schema' } },
    501,
    'json_schema',
  ],
  ['an unknown path', '/v1/nope', {}, 404, 'not_found_error'],
  ['a wrong method', '/v1/models', {}, 405, 'GET'],
] as const)(
  '%s is refused with the right status in the usual envelope',
  async (_, path, body, status, words) => {
    const reply = await post(engine, path, body);
    expect([reply.status, reply.json()['error']?.['code']]).toEqual([status, status]);
    expect(reply.text).toContain(words);
  },
);

test('a prompt over the context names both counts', async () => {
  const { error } = (await post(engine, '/v1/completions', { prompt: long })).json();
  expect(error?.['n_ctx']).toBe(512);
  expect(error?.['n_prompt_tokens']).toBeGreaterThan(2000);
});

test('with a key file, all but health want the key, and the key is not in the command line', async () => {
  const keys = join(model.folder, 'keys');
  writeFileSync(keys, 'first-key\nsecond-key\n');
  const guarded = await startReady(model.path, ['--api-key-file', keys]);
  try {
    expect((await get(guarded, '/v1/models')).status).toBe(401);
    const wrong = await get(guarded, '/v1/models', { authorization: 'Bearer nope' });
    expect(wrong.json()).toEqual({
      error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 },
    });
    expect((await get(guarded, '/v1/models', { authorization: 'Bearer second-key' })).status).toBe(200);
    expect((await get(guarded, '/metrics', { 'x-api-key': 'first-key' })).status).toBe(200);
  } finally {
    guarded.kill('SIGKILL');
    await guarded.exited;
  }
});
