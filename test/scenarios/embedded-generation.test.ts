import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  countOf,
  eventsOf,
  get,
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
const path = '/v1/completions';

beforeAll(async () => {
  model = await randomModel();
  engine = await startReady(model.path, ['--slots', '3', '--context', '16384', '--queue', '2']);
});

afterAll(async () => {
  engine?.kill('SIGKILL');
  await engine?.exited;
  model?.remove();
});

async function textOf(body: Record<string, unknown>, of: Running = engine): Promise<string> {
  return wordsOf((await post(of, path, body)).json()['choices']?.[0]?.['text']);
}

function joined(events: readonly Json[]): string {
  return events.map((event) => wordsOf(event['choices']?.[0]?.['text'])).join('');
}

/** No slot is busy and nothing waits. */
async function idle(): Promise<boolean> {
  const slots = (await get(engine, '/slots')).json() as unknown as Json[];
  return (
    slots.every((slot) => !slot['is_processing']) &&
    (await metric(engine, 'llamacpp:requests_deferred')) === 0
  );
}

async function busySlots(): Promise<number> {
  const slots = (await get(engine, '/slots')).json() as unknown as Json[];
  return slots.filter((slot) => slot['is_processing']).length;
}

const endless = { max_tokens: 15_000, ignore_eos: true, stream: true, temperature: 0.8 };

test('the same seed gives the same text, another seed another, and temperature 0 always the same', async () => {
  const body = { prompt: 'once upon', max_tokens: 12, ignore_eos: true };
  expect(await textOf({ ...body, seed: 7 })).toBe(await textOf({ ...body, seed: 7 }));
  expect(await textOf({ ...body, seed: 7 })).not.toBe(await textOf({ ...body, seed: 8 }));
  expect(await textOf({ ...body, temperature: 0, seed: 1 })).toBe(
    await textOf({ ...body, temperature: 0, seed: 2 }),
  );
});

test('no garbage collection takes what the library keeps of a slot, by which it would empty it amid an answer', async () => {
  const probe = new URL('../support/sequence-probe.mjs', import.meta.url).href;
  const probed = await startReady(model.path, ['--slots', '2'], ['--expose-gc', '--import', probe]);
  try {
    const body = { prompt: 'once upon a time', max_tokens: 48, ignore_eos: true, temperature: 0 };
    const before = await textOf(body, probed);
    probed.kill('SIGUSR2');
    await until(() => probed.said.some((line) => line.includes('sequences')));
    expect(probed.said).toContain('{"sequences":2}');
    expect(await textOf(body, probed)).toBe(before);
  } finally {
    probed.kill('SIGKILL');
    await probed.exited;
  }
});

test('a stop string ends the text in front of it, and no part of it is ever streamed', async () => {
  const body = { prompt: 'stop here', max_tokens: 40, seed: 3, ignore_eos: true };
  const full = await textOf(body);
  const stop = full.slice(20, 26);
  const reply = (await post(engine, path, { ...body, stop: ['never-there', stop] })).json();
  expect(reply['choices']?.[0]).toMatchObject({
    text: full.slice(0, full.indexOf(stop)),
    finish_reason: 'stop',
  });
  expect(reply['usage']?.['completion_tokens']).toBeLessThan(40);
  const events = eventsOf((await post(engine, path, { ...body, stop, stream: true })).text);
  expect(joined(events)).toBe(full.slice(0, full.indexOf(stop)));
});

test('characters cut over several tokens are streamed whole', async () => {
  // The first 256 tokens are the bytes: all others are forbidden, so that nearly every character is cut.
  const logit_bias = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [String(128 + i), 60]));
  const body = {
    prompt: 'bytes',
    max_tokens: 120,
    seed: 5,
    temperature: 1.5,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    logit_bias,
  };
  const whole = await textOf(body);
  const events = eventsOf((await post(engine, path, { ...body, stream: true })).text);
  expect(joined(events)).toBe(whole);
  expect(whole).toMatch(/[\u0080-\uFFFC]/);
});

test('each of n choices is another one, and usage counts all of them', async () => {
  const body = { prompt: 'choose', max_tokens: 6, seed: 1, n: 3, ignore_eos: true };
  const reply = (await post(engine, path, body)).json();
  const texts = (reply['choices'] as unknown as Json[]).map((choice) => choice['text']);
  expect(new Set(texts).size).toBe(3);
  expect(reply['usage']).toMatchObject({ completion_tokens: 18 });
});

test('more choices than slots and queue hold are refused as a whole, and nothing is left behind', async () => {
  const refused = await post(engine, path, { prompt: 'too many', max_tokens: 2, n: 6 });
  expect(refused.status).toBe(503);
  expect(await idle()).toBe(true);
  const fitting = await post(engine, path, { prompt: 'just right', max_tokens: 2, n: 5, ignore_eos: true });
  expect(fitting.json()['usage']).toMatchObject({ completion_tokens: 10 });
});

test('penalties change what is drawn', async () => {
  const body = { prompt: 'again and again', max_tokens: 60, temperature: 0, ignore_eos: true };
  const heavy = { ...body, repeat_penalty: 1.8, frequency_penalty: 1.5, presence_penalty: 1.5 };
  expect(await textOf(heavy)).not.toBe(await textOf(body));
});

test('a prompt is kept in its slot and reused, unless the request forbids it', async () => {
  const body = { prompt: `remember ${'this '.repeat(60)}`, max_tokens: 2, temperature: 0 };
  const first = (await post(engine, path, body)).json();
  const again = (await post(engine, path, body)).json();
  const fresh = (await post(engine, path, { ...body, cache_prompt: false })).json();
  const length = countOf(first['usage']?.['prompt_tokens']);
  expect(again['usage']?.['prompt_tokens_details']).toEqual({ cached_tokens: length - 1 });
  expect(fresh['usage']?.['prompt_tokens_details']).toEqual({ cached_tokens: 0 });
  // The text of the fresh one is not held against theirs: in a slot elsewhere sums have another order, which can turn a near tie.
  expect(again['choices']).toEqual(first['choices']);
});

test('an answer is the same alone and among others', async () => {
  const body = {
    prompt: 'alone or together',
    max_tokens: 24,
    temperature: 0,
    ignore_eos: true,
    cache_prompt: false,
  };
  const alone = await textOf(body);
  const others = Array.from({ length: 4 }, (_, i) =>
    textOf({ ...body, prompt: `other ${'long '.repeat(i * 40)}${i}`, temperature: 0.9 }),
  );
  expect(await textOf(body)).toBe(alone);
  await Promise.all(others);
});

test('the way around the direct decoder gives the same text', async () => {
  const plain = await startReady(model.path, ['--decoder', 'library', '--slots', '2']);
  try {
    expect((await get(plain, '/props')).json()).toMatchObject({ berth: { decoder: 'library' } });
    const body = { prompt: 'two ways', max_tokens: 16, temperature: 0, ignore_eos: true };
    const [direct, library] = await Promise.all([textOf(body), textOf(body, plain), textOf(body, plain)]);
    expect(library).toBe(direct);
    expect(await textOf({ ...body, seed: 4, temperature: 0.7 }, plain)).toBe(
      await textOf({ ...body, seed: 4, temperature: 0.7 }),
    );
  } finally {
    plain.kill('SIGKILL');
    await plain.exited;
  }
});

test('the context ends an answer that knows no other end', async () => {
  const small = await startReady(model.path, ['--slots', '1', '--context', '64']);
  try {
    const reply = (await post(small, path, { prompt: 'until full', ignore_eos: true })).json();
    const { usage } = reply;
    expect(reply['choices']?.[0]).toMatchObject({ finish_reason: 'length' });
    expect(countOf(usage?.['prompt_tokens']) + countOf(usage?.['completion_tokens'])).toBe(65);
  } finally {
    small.kill('SIGKILL');
    await small.exited;
  }
});

test('a client that leaves in mid-stream frees its slot, and the others go on', async () => {
  const leaving = openStream(engine, path, { ...endless, prompt: 'leaving' });
  const staying = openStream(engine, path, { ...endless, prompt: 'staying', max_tokens: 400 });
  await Promise.all([leaving.first, staying.first]);
  leaving.leave();
  await until(async () => (await busySlots()) <= 1);
  expect(eventsOf(await staying.whole).at(-1)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  await until(idle);
});

test('a client that leaves while its prompt is read stops the reading', async () => {
  // Beside an answer that is being given a prompt goes in by small pieces: whoever asks the engine meanwhile is heard between two.
  const running = openStream(engine, path, { ...endless, prompt: 'running' });
  await running.first;
  const before = await metric(engine, 'llamacpp:prompt_tokens_total');
  const tokens = Array.from({ length: 16_000 }, (_, i) => i % 2000);
  const stream = openStream(engine, path, { prompt: tokens, max_tokens: 4, cache_prompt: false });
  await until(async () => (await metric(engine, 'llamacpp:prompt_tokens_total')) > before);
  stream.leave();
  await until(async () => (await busySlots()) === 1);
  const read = (await metric(engine, 'llamacpp:prompt_tokens_total')) - before;
  expect(read).toBeLessThan(16_000);
  running.leave();
  await until(idle);
});

test('a client that leaves the queue never gets a slot, and a full queue refuses at once', async () => {
  const running = [1, 2, 3].map((i) => openStream(engine, path, { ...endless, prompt: `running ${i}` }));
  await Promise.all(running.map((stream) => stream.first));
  const predicted = await metric(engine, 'berth_engine_requests_total{outcome="aborted"}');
  const waiting = [1, 2].map((i) => openStream(engine, path, { ...endless, prompt: `waiting ${i}` }));
  await until(async () => (await metric(engine, 'llamacpp:requests_deferred')) === 2);
  const refused = await post(engine, path, { prompt: 'one too many' });
  expect([refused.status, refused.json()['error']?.['type']]).toEqual([503, 'unavailable_error']);
  expect((await get(engine, '/slots?fail_on_no_slot=1')).status).toBe(503);
  for (const stream of waiting) stream.leave();
  await until(async () => (await metric(engine, 'llamacpp:requests_deferred')) === 0);
  expect(await busySlots()).toBe(3);
  expect(waiting.map((stream) => stream.text())).toEqual(['', '']);
  for (const stream of running) stream.leave();
  await until(idle);
  expect(await metric(engine, 'berth_engine_requests_total{outcome="aborted"}')).toBe(predicted + 5);
});

test('a long prompt does not hold up an answer that is being given', async () => {
  const running = openStream(engine, path, { ...endless, prompt: 'running' });
  await running.first;
  const before = running.text().split('data: ').length;
  const prompt = Array.from({ length: 1200 }, (_, i) => (i * 7) % 2000);
  await post(engine, path, { prompt, max_tokens: 1, cache_prompt: false });
  // The prompt goes in by ten chunks, and a token of the running answer goes with each of them.
  expect(running.text().split('data: ').length - before).toBeGreaterThan(6);
  running.leave();
  await until(idle);
});

test('SIGTERM lets running answers end, refuses new ones and exits 0', async () => {
  const ending = await startReady(model.path, ['--slots', '1']);
  const stream = openStream(ending, path, { ...endless, prompt: 'last words', max_tokens: 600 });
  await stream.first;
  ending.kill('SIGTERM');
  expect(eventsOf(await stream.whole).at(-1)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  expect(await ending.exited).toEqual({ code: 0, signal: null });
  await expect(get(ending, '/health')).rejects.toThrow('fetch failed');
});
