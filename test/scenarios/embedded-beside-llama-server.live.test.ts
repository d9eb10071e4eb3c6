import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLlamaServer } from '../hosts/llama-server.ts';
import { eventsOf, get, post, randomModel, startReady, until } from '../support/embedded.ts';
import type { Json, Running } from '../support/embedded.ts';

const binary = findLlamaServer();
const reason = binary ? '' : ' (skipped: no llama-server; run tools/live/llama-server.sh)';

async function startReal(
  program: string,
  model: string,
): Promise<{ running: Pick<Running, 'port'>; child: ChildProcess }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const flags = ['--port', String(port), '--alias', 'random', '--parallel', '2', '--ctx-size', '1024'];
  const rest = ['--threads', '1', '--metrics', '--cache-ram', '0', '--no-webui'];
  const child = spawn(program, ['--model', model, ...flags, ...rest], { stdio: 'ignore' });
  await until(async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null))?.ok === true);
  return { running: { port }, child };
}

/** All paths of fields, with the kind of what is there; lists count as their first element. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${path}[]`] : shapeOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null)
    return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, `${path}.${key}`));
}

describe.skipIf(!binary)(`the embedded engine beside llama-server${reason}`, () => {
  let model: Awaited<ReturnType<typeof randomModel>>;
  let ours: Running;
  let theirs: Running;
  let child: ChildProcess;

  beforeAll(async () => {
    model = await randomModel();
    const real = await startReal(binary ?? '', model.path);
    child = real.child;
    // Only the port is asked of it.
    theirs = real.running as Running;
    ours = await startReady(model.path, ['--alias', 'random', '--slots', '2', '--context', '512']);
  });

  afterAll(async () => {
    ours?.kill('SIGKILL');
    child?.kill('SIGKILL');
    await ours?.exited;
    model?.remove();
  });

  async function both(path: string, body: unknown): Promise<[Json, Json]> {
    return [(await post(ours, path, body)).json(), (await post(theirs, path, body)).json()];
  }

  test.each([
    'Hello world',
    ' spaces  in   rows\n\tand tabs',
    'naïve café – 日本語 😀',
    '<|im_start|>user\nhi<|im_end|>',
    "it's 12345 o'clock!!",
  ])('both cut %j into the same tokens, with and without the begin token', async (content) => {
    for (const add_special of [false, true]) {
      const [a, b] = await both('/tokenize', { content, add_special, with_pieces: true });
      expect(a).toEqual(b);
    }
  });

  test('both render the chat template alike', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello {{ there }}' },
    ];
    const [a, b] = await both('/apply-template', { messages });
    expect(a).toEqual(b);
  });

  test('both count the tokens of prompts and answers alike', async () => {
    const settings = { max_tokens: 5, ignore_eos: true, cache_prompt: false };
    const chat = { messages: [{ role: 'user', content: 'Count me' }], ...settings };
    const [a, b] = await both('/v1/chat/completions', chat);
    expect(a['usage']).toEqual(b['usage']);
    const [c, d] = await both('/v1/completions', { prompt: 'Count me too', ...settings });
    expect(c['usage']).toEqual(d['usage']);
  });

  test('both say the same at temperature 0', async () => {
    const body = {
      prompt: 'The fleet',
      max_tokens: 8,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: false,
    };
    const [a, b] = await both('/v1/completions', body);
    expect(a['choices']).toEqual(b['choices']);
  });

  // At temperature 0: a drawn answer may be half a character, of which llama-server says nothing, not even the role.
  const settings = { max_tokens: 6, ignore_eos: true, temperature: 0 };
  const chat = { messages: [{ role: 'user', content: 'Shapes' }], ...settings };
  const text = { prompt: 'Shapes', ...settings };
  test.each([
    ['/v1/chat/completions', chat],
    ['/v1/completions', text],
  ] as const)('every field of our replies on %s is one of theirs, of the same kind', async (path, body) => {
    const [a, b] = await both(path, body);
    expect(shapeOf(b)).toEqual(expect.arrayContaining(shapeOf(a)));
  });

  // A stream of text ends its usage differently: theirs has it on the last choice, ours (as OpenAI's) in a chunk after it.
  test.each([
    ['/v1/chat/completions', { ...chat, stream: true }],
    ['/v1/chat/completions', { ...chat, stream: true, stream_options: { include_usage: true } }],
    ['/v1/completions', { ...text, stream: true }],
  ] as const)('every field of our streamed replies on %s is one of theirs', async (path, body) => {
    const [ourEvents = [], theirEvents = []] = await Promise.all(
      [ours, theirs].map(async (side) => eventsOf((await post(side, path, body)).text)),
    );
    const theirShapes = theirEvents.flatMap((event) => shapeOf(event));
    for (const event of ourEvents) expect(theirShapes).toEqual(expect.arrayContaining(shapeOf(event)));
  });

  test('every llamacpp metric of ours is one of theirs, of the same type', async () => {
    const types = await Promise.all(
      [ours, theirs].map(async (side) =>
        (await get(side, '/metrics')).text.split('\n').filter((line) => line.startsWith('# TYPE llamacpp:')),
      ),
    );
    expect(types[0]?.length).toBeGreaterThan(10);
    expect(types[1]).toEqual(expect.arrayContaining(types[0] ?? []));
  });
});
