import OpenAI from 'openai';
import { expect } from 'vitest';
import { until } from '../../gateway/harness.ts';
import { expectSaid, greeting, inTurn, longAnswer, toolsAnswer, weather } from './scenario.ts';
import type { ClientScenario } from './scenario.ts';

/** What OpenAI's own client does beyond chat: tools, Responses, its classes of error. */
export function openaiScenario(scenario: ClientScenario): Promise<number> {
  const client = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: scenario.key, maxRetries: 0 });
  return inTurn(client, scenario, [lists, callsTools, embeds, responds, respondsWithTools, faults, aborts]);
}

/** Forms and bytes, for engines that hear and speak. Returns what was heard. */
export async function openaiAudioScenario({ url, key, model }: ClientScenario): Promise<string[]> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const file = await OpenAI.toFile(Buffer.from([82, 73, 70, 70, 13, 10, 45, 45, 0, 255]), 'sound.wav');
  const spoken = await client.audio.transcriptions.create({ model, file });
  const translated = await client.audio.translations.create({ model, file });
  const speech = await client.audio.speech.create({ model, input: 'Hello', voice: 'alloy' });
  expect([...new Uint8Array(await speech.arrayBuffer())]).toEqual([255, 251, 0, 13, 10, 254]);
  return [spoken.text, translated.text];
}

async function lists(client: OpenAI, { model }: ClientScenario): Promise<void> {
  const ids: string[] = [];
  for await (const one of client.models.list()) ids.push(one.id);
  expect(ids).toContain(model);
  expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' });
}

async function callsTools(client: OpenAI, scenario: ClientScenario): Promise<void> {
  const tools = [{ type: 'function' as const, function: weather }];
  const question = { role: 'user' as const, content: 'How warm is Bremen?' };
  const asked = { model: scenario.model, max_tokens: 16, tools, messages: [question] };
  const whole = await client.chat.completions.create(asked);
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
  if (scenario.tools !== 'called') return;
  for (const reply of [whole, streamed])
    expect(reply.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Bremen"}' } }] },
    });
  const message = whole.choices[0]?.message;
  if (!message) throw new Error('There is no message.');
  const result = { role: 'tool' as const, tool_call_id: 'call_1', content: '7 degrees' };
  const answer = await client.chat.completions.create({ ...asked, messages: [question, message, result] });
  expect(answer.choices[0]?.message.content).toBe(toolsAnswer);
}

async function embeds(client: OpenAI, { embeds: has, model }: ClientScenario): Promise<void> {
  if (!has) return;
  // By default this client asks for base64, and decodes it.
  const { data, usage } = await client.embeddings.create({ model, input: ['one', 'two'] });
  expect(data.map(({ embedding }) => embedding.length > 1)).toEqual([true, true]);
  expect(usage.prompt_tokens).toBeGreaterThan(0);
}

async function responds(client: OpenAI, { model, says }: ClientScenario): Promise<void> {
  const asked = { model, input: greeting, max_output_tokens: 16, temperature: 0 };
  const whole = await client.responses.create(asked);
  expectSaid(whole.output_text, { says });
  let text = '';
  let tokens = 0;
  for await (const event of await client.responses.create({ ...asked, stream: true })) {
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type === 'response.completed') tokens = event.response.usage?.output_tokens ?? 0;
  }
  expectSaid(text, { says });
  expect(tokens).toBeGreaterThan(0);
}

async function respondsWithTools(client: OpenAI, { tools: can, model }: ClientScenario): Promise<void> {
  const tools = [{ type: 'function' as const, strict: true, ...weather }];
  const input = [{ role: 'user' as const, content: 'How warm is Bremen?' }];
  const asked = { model, max_output_tokens: 16, tools };
  const whole = await client.responses.create({ ...asked, input });
  if (can !== 'called') return;
  const [call] = whole.output;
  expect(call).toMatchObject({ type: 'function_call', name: 'weather', call_id: 'call_1' });
  if (call?.type !== 'function_call') throw new Error('No tool was called.');
  const result = { type: 'function_call_output' as const, call_id: 'call_1', output: '7 degrees' };
  const answer = await client.responses.create({ ...asked, input: [...input, call, result] });
  expect(answer.output_text).toContain('7 degrees');
}

async function faults(client: OpenAI, scenario: ClientScenario): Promise<void> {
  const { breakingPrompt, model } = scenario;
  await expect(client.responses.create({ model: 'none', input: 'x' })).rejects.toBeInstanceOf(
    OpenAI.NotFoundError,
  );
  await expect(client.responses.create({ input: 'x' })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  await expect(client.responses.retrieve('resp_unknown')).rejects.toMatchObject({
    status: 404,
    code: 'response_not_found',
  });
  if (breakingPrompt === null) return;
  const stream = await client.responses.create({ model, input: breakingPrompt, stream: true });
  async function read(): Promise<void> {
    for await (const event of stream) expect(event.type).toMatch(/^response\./);
  }
  const error = await read().catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(OpenAI.APIError);
  expect(error).toMatchObject({ code: 'upstream_failed' });
}

async function aborts(client: OpenAI, scenario: ClientScenario): Promise<void> {
  const { longPrompt, model } = scenario;
  const asked = { model, input: longPrompt, max_output_tokens: longAnswer, stream: true as const };
  const stream = await client.responses.create(asked);
  for await (const event of stream) if (event.type === 'response.output_text.delta') break;
  await until('the engine is free', async () => (await scenario.busy()) === 0);
}
