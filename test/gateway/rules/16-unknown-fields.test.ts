import { expect, test } from 'vitest';
import { wellBehaved, wholeStream } from '../fake-upstream.ts';
import { start } from '../harness.ts';

test('rule 16: unknown fields, big numbers, their order and odd spacing reach the engine unchanged', async () => {
  const { upstream, gateway } = await start(wellBehaved, { upstream: { model: 'engine "x"' } });
  const before = '{ "top_k":40,"seed":12345678901234567890, "m\\u006fdelx":1,';
  const after =
    ',"messages":[{"role":"user","content":"\\"model\\":\\u006d {["}],"min_p":0.050,"guided_json":{"model":[1]}}';
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: `${before}"model" : "m"${after}`,
  });
  expect(reply.status).toBe(200);
  expect(upstream.seen[0]?.body).toBe(`${before}"model" : "engine \\"x\\""${after}`);
  expect(reply.headers.get('x-berth-model')).toBe('engine "x"');
  expect(await reply.json()).toMatchObject({ model: 'engine-model' });
});

test.each([
  ['{"include_usage":false}', '{"include_usage":true}'],
  ['{ }', '{"include_usage":true }'],
  ['{"a":[1]}', '{"include_usage":true,"a":[1]}'],
  ['null', '{"include_usage":true}'],
])('rule 16: usage is asked for by the smallest edit: stream_options %s', async (given, sent) => {
  const { upstream, gateway } = await start(wellBehaved);
  const body = `{"model":"m","stream":true,"stream_options":${given},"messages":[]}`;
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body });
  expect(await reply.text()).toBe(wholeStream);
  expect(upstream.seen[0]?.body).toBe(body.replace(`"stream_options":${given}`, `"stream_options":${sent}`));
});

test('rule 16: a server that refuses what it does not know is asked for no usage, which is then estimated', async () => {
  const { upstream, gateway } = await start(wellBehaved, { upstream: { streamUsage: false } });
  const body = '{"model":"m","stream":true,"messages":[]}';
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body });
  // What it sends by itself is the client's.
  expect(await reply.text()).toBe(wholeStream);
  expect(upstream.seen[0]?.body).toBe(body);
});
