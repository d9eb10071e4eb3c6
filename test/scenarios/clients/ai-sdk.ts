import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import { expect } from 'vitest';
import { until } from '../../gateway/harness.ts';
import { expectSaid, greeting, inTurn, longAnswer, toolsAnswer, weather } from './scenario.ts';
import type { ClientScenario } from './scenario.ts';

type Provider = ReturnType<typeof providerOf>;

/** All that Vercel's AI SDK does with a gateway. */
export function aiSdkScenario(scenario: ClientScenario): Promise<number> {
  const steps = [wantsTheKey, writes, streams, callsTools, embeds, faults, aborts, writes];
  return inTurn(providerOf(scenario), scenario, steps);
}

function providerOf({ url, key }: ClientScenario) {
  return createOpenAICompatible({ name: 'berth', baseURL: `${url}/v1`, apiKey: key, includeUsage: true });
}

function hello(provider: Provider, { model }: ClientScenario, prompt = greeting) {
  return { model: provider(model), prompt, temperature: 0, maxOutputTokens: 16, maxRetries: 0 };
}

async function wantsTheKey(_provider: Provider, scenario: ClientScenario): Promise<void> {
  const stranger = providerOf({ ...scenario, key: 'not-a-key' });
  expect(await statusOf(generateText(hello(stranger, scenario)))).toBe(401);
}

async function statusOf(asked: PromiseLike<unknown>): Promise<number | undefined> {
  const error = await Promise.resolve(asked).catch((fault: unknown) => fault);
  expect(APICallError.isInstance(error)).toBe(true);
  return (error as APICallError).statusCode;
}

async function writes(provider: Provider, scenario: ClientScenario): Promise<void> {
  const { text, usage } = await generateText(hello(provider, scenario));
  expectSaid(text, scenario);
  expect(usage.outputTokens).toBeGreaterThan(0);
}

async function streams(provider: Provider, scenario: ClientScenario): Promise<void> {
  const result = streamText(hello(provider, scenario));
  let text = '';
  for await (const piece of result.textStream) text += piece;
  expectSaid(text, scenario);
  const { inputTokens, outputTokens } = await result.usage;
  expect([inputTokens, outputTokens]).toEqual([expect.any(Number), expect.any(Number)]);
}

async function callsTools(provider: Provider, scenario: ClientScenario): Promise<void> {
  const cities: string[] = [];
  const tools = {
    [weather.name]: tool({
      description: weather.description,
      inputSchema: jsonSchema<{ city: string }>(weather.parameters),
      execute: async ({ city }) => {
        cities.push(city);
        return '7 degrees';
      },
    }),
  };
  const asked = { ...hello(provider, scenario, 'How warm is Bremen?'), tools, stopWhen: isStepCount(3) };
  if (scenario.tools === 'refused') {
    expect(await statusOf(generateText(asked))).toBe(501);
    return;
  }
  const { text } = await generateText(asked);
  const streamed = await streamText(asked).text;
  if (scenario.tools !== 'called') return;
  expect([text, streamed]).toEqual([toolsAnswer, toolsAnswer]);
  expect(cities).toEqual(['Bremen', 'Bremen']);
}

async function embeds(provider: Provider, { embeds: has, model }: ClientScenario): Promise<void> {
  if (!has) return;
  const asked = { model: provider.embeddingModel(model), values: ['one', 'two'], maxRetries: 0 };
  const { embeddings, usage } = await embedMany(asked);
  expect(embeddings.map((vector) => vector.length > 1)).toEqual([true, true]);
  expect(usage.tokens).toBeGreaterThan(0);
}

async function faults(provider: Provider, scenario: ClientScenario): Promise<void> {
  const missing = { ...scenario, model: 'no-such-model' };
  expect(await statusOf(generateText(hello(provider, missing)))).toBe(404);
  if (scenario.breakingPrompt === null) return;
  const errors: unknown[] = [];
  function onError({ error }: { error: unknown }): void {
    errors.push(error);
  }
  const result = streamText({ ...hello(provider, scenario, scenario.breakingPrompt), onError });
  await result.consumeStream();
  expect(errors).toHaveLength(1);
}

async function aborts(provider: Provider, scenario: ClientScenario): Promise<void> {
  const leave = new AbortController();
  const asked = {
    ...hello(provider, scenario, scenario.longPrompt),
    maxOutputTokens: longAnswer,
    providerOptions: { berth: scenario.long },
  };
  let left = false;
  function onAbort(): void {
    left = true;
  }
  const result = streamText({ ...asked, abortSignal: leave.signal, onAbort });
  for await (const piece of result.textStream) if (piece !== '') leave.abort();
  expect(left).toBe(true);
  await until('the engine is free', async () => (await scenario.busy()) === 0);
}
