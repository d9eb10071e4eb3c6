import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import type { AIMessageChunk } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { expect } from 'vitest';
import { until } from '../../gateway/harness.ts';
import { expectSaid, greeting, inTurn, longAnswer, toolsAnswer, weather } from './scenario.ts';
import type { ClientScenario } from './scenario.ts';

/** All that a chat model of LangChain does with a gateway. */
export function langchainScenario(scenario: ClientScenario): Promise<number> {
  const steps = [wantsTheKey, writes, streams, callsTools, embeds, faults, aborts, writes];
  return inTurn(modelOf(scenario), scenario, steps);
}

function modelOf(
  { url, key, model }: ClientScenario,
  more: ConstructorParameters<typeof ChatOpenAI>[0] = {},
): ChatOpenAI {
  const configuration = { baseURL: `${url}/v1` };
  return new ChatOpenAI({
    model,
    apiKey: key,
    configuration,
    temperature: 0,
    maxTokens: 16,
    maxRetries: 0,
    streamUsage: true,
    ...more,
  });
}

async function wantsTheKey(_model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const stranger = modelOf({ ...scenario, key: 'not-a-key' });
  await expect(stranger.invoke(greeting)).rejects.toMatchObject({ status: 401 });
}

async function writes(model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const message = await model.invoke(greeting);
  expectSaid(message.text, scenario);
  expect(message.usage_metadata).toMatchObject({ output_tokens: expect.any(Number) });
}

async function gather(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | null = null;
  for await (const chunk of stream) whole = whole ? whole.concat(chunk) : chunk;
  if (!whole) throw new Error('The stream was empty.');
  return whole;
}

async function streams(model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const message = await gather(await model.stream(greeting));
  expectSaid(message.text, scenario);
  expect(message.usage_metadata).toMatchObject({ output_tokens: expect.any(Number) });
}

async function callsTools(model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const able = model.bindTools([{ type: 'function', function: weather }]);
  const question = new HumanMessage('How warm is Bremen?');
  if (scenario.tools === 'refused') {
    await expect(able.invoke([question])).rejects.toMatchObject({ status: 501 });
    return;
  }
  const asks = await able.invoke([question]);
  const streamed = await gather(await able.stream([question]));
  if (scenario.tools !== 'called') return;
  for (const message of [asks, streamed])
    expect(message.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Bremen' } }]);
  const result = new ToolMessage({ content: '7 degrees', tool_call_id: asks.tool_calls?.[0]?.id ?? '' });
  const answer = await able.invoke([question, asks, result]);
  expect(answer.text).toBe(toolsAnswer);
}

async function embeds(_model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  if (!scenario.embeds) return;
  const { url, key, model } = scenario;
  const embeddings = new OpenAIEmbeddings({ model, apiKey: key, configuration: { baseURL: `${url}/v1` } });
  const vectors = await embeddings.embedDocuments(['one', 'two']);
  expect(vectors.map((vector) => vector.length > 1)).toEqual([true, true]);
}

async function faults(_model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const missing = modelOf({ ...scenario, model: 'no-such-model' });
  await expect(missing.invoke(greeting)).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  const { breakingPrompt } = scenario;
  if (breakingPrompt === null) return;
  const broken = modelOf(scenario).stream(breakingPrompt).then(gather);
  await expect(broken).rejects.toMatchObject({ code: 'upstream_failed' });
}

async function aborts(_model: ChatOpenAI, scenario: ClientScenario): Promise<void> {
  const leave = new AbortController();
  const stream = await modelOf(scenario, { maxTokens: longAnswer, modelKwargs: scenario.long }).stream(
    scenario.longPrompt,
    { signal: leave.signal },
  );
  async function read(): Promise<void> {
    for await (const chunk of stream) if (chunk.text !== '') leave.abort();
  }
  await expect(read()).rejects.toThrow(/abort/i);
  await until('the engine is free', async () => (await scenario.busy()) === 0);
}
