import OpenAI from 'openai';
import { expect } from 'vitest';
import { until } from '../gateway/harness.ts';
import { expectSaid } from './clients/scenario.ts';

export interface OpenAIScenario {
  /** Of the gateway, without /v1. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** What the engine says to anything; null where nobody knows it beforehand. */
  readonly says: string | null;
  /** Null when the engine makes no embeddings. */
  readonly embeddingModel: string | null;
  /** What the engine serves at once. */
  readonly slots: number;
  /** Requests that the engine works on, by its own account. */
  readonly busy: () => Promise<number>;
  /** Fields that make the engine write for long (`ignore_eos`). */
  readonly long: Readonly<Record<string, unknown>>;
  /** A prompt that the engine takes a while to read. */
  readonly longPrompt: string;
}

const steps = [
  wantsTheKey,
  listsAndCompletes,
  chats,
  embeds,
  abortsMidStream,
  abortsInPrefill,
  abortsWhileQueued,
  chats,
];

/** All that the official client does with a gateway; fails at the first thing that is not so. Returns the steps done. */
export async function openaiClientScenario(scenario: OpenAIScenario): Promise<number> {
  const client = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: scenario.key, maxRetries: 0 });
  for (const step of steps) await step(client, scenario);
  return steps.length;
}

async function wantsTheKey(_client: OpenAI, scenario: OpenAIScenario): Promise<void> {
  const stranger = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: 'not-a-key', maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
}

async function listsAndCompletes(client: OpenAI, { model, says }: OpenAIScenario): Promise<void> {
  const models = await client.models.list();
  expect(models.data.map(({ id }) => id)).toContain(model);
  await expect(client.completions.create({ model: 'no-such-model', prompt: 'x' })).rejects.toBeInstanceOf(
    OpenAI.NotFoundError,
  );
  const completion = await client.completions.create({
    model,
    prompt: 'Berth is',
    max_tokens: 8,
    temperature: 0,
  });
  expectSaid(completion.choices[0]?.text, { says });
  expect(completion.usage?.completion_tokens).toBeGreaterThan(0);
}

async function chats(client: OpenAI, { model, says }: OpenAIScenario): Promise<void> {
  const messages = [{ role: 'user' as const, content: 'What is berth?' }];
  const asked = { model, messages, max_tokens: 16, temperature: 0 };
  const plain = await client.chat.completions.create(asked);
  const text = plain.choices[0]?.message.content ?? '';
  expectSaid(text, { says });
  let streamed = '';
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
    expect(chunk.choices.length).toBeGreaterThan(0);
    streamed += chunk.choices[0]?.delta.content ?? '';
  }
  expect(streamed).toBe(text);
  let usage: unknown = null;
  const withUsage = { ...asked, stream: true as const, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create(withUsage)) usage = chunk.usage ?? usage;
  expect(usage).toMatchObject({ prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) });
}

async function embeds(client: OpenAI, { embeddingModel }: OpenAIScenario): Promise<void> {
  if (embeddingModel === null) return;
  const embedding = await client.embeddings.create({
    model: embeddingModel,
    input: 'Berth',
    encoding_format: 'float',
  });
  expect(embedding.data[0]?.embedding.length).toBeGreaterThan(1);
}

/** A stream that goes on until it is aborted; `begun` resolves at its first text. */
function openStream(client: OpenAI, scenario: OpenAIScenario, prompt = 'Tell me a long story.') {
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  let chunks = 0;
  let over = false;
  async function read(): Promise<'ended' | 'aborted'> {
    try {
      const body = {
        model: scenario.model,
        messages: [{ role: 'user' as const, content: prompt }],
        max_tokens: 4000,
        stream: true as const,
        ...scenario.long,
      };
      for await (const chunk of await client.chat.completions.create(body, { signal: abort.signal }))
        if (chunk.choices.length > 0) {
          chunks += 1;
          begun.resolve();
        }
      // The client's iterator ends quietly when it was aborted midway.
      return abort.signal.aborted ? 'aborted' : 'ended';
    } catch (error) {
      if (error instanceof OpenAI.APIUserAbortError) return 'aborted';
      throw error;
    } finally {
      over = true;
      begun.resolve();
    }
  }
  return {
    ended: read(),
    begun: begun.promise,
    chunks: () => chunks,
    isOver: () => over,
    abort: () => abort.abort(),
  };
}

async function abortsMidStream(client: OpenAI, scenario: OpenAIScenario): Promise<void> {
  const streams = Array.from({ length: scenario.slots }, () => openStream(client, scenario));
  await Promise.all(streams.map(({ begun }) => begun));
  const [leaves, ...others] = streams;
  leaves?.abort();
  expect(await leaves?.ended).toBe('aborted');
  await until('its slot is free', async () => (await scenario.busy()) <= others.length);
  for (const other of others) {
    const seen = other.chunks();
    await until('the others go on', () => other.chunks() > seen || other.isOver());
  }
  for (const stream of others) stream.abort();
  await until('all slots are free', async () => (await scenario.busy()) === 0);
}

async function abortsInPrefill(client: OpenAI, scenario: OpenAIScenario): Promise<void> {
  const stream = openStream(client, scenario, scenario.longPrompt);
  await until('the engine has it', async () => (await scenario.busy()) > 0);
  stream.abort();
  expect(await stream.ended).toBe('aborted');
  await until('the slot is free', async () => (await scenario.busy()) === 0);
}

async function abortsWhileQueued(client: OpenAI, scenario: OpenAIScenario): Promise<void> {
  const streams = Array.from({ length: scenario.slots }, () => openStream(client, scenario));
  await Promise.all(streams.map(({ begun }) => begun));
  const waits = openStream(client, scenario);
  await until('it waits', async () => (await queueDepth(scenario)) === 1);
  waits.abort();
  expect(await waits.ended).toBe('aborted');
  await until('the queue is empty', async () => (await queueDepth(scenario)) === 0);
  expect(await scenario.busy()).toBe(scenario.slots);
  for (const stream of streams) stream.abort();
  await until('all slots are free', async () => (await scenario.busy()) === 0);
}

async function queueDepth({ url }: OpenAIScenario): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('berth_gateway_queue_depth{'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
