import Anthropic from '@anthropic-ai/sdk';
import { expect } from 'vitest';
import { until } from '../../gateway/harness.ts';
import { expectSaid, greeting, inTurn, longAnswer, toolsAnswer, weather } from './scenario.ts';
import type { ClientScenario } from './scenario.ts';

/** All that Anthropic's own client does with a gateway. */
export function anthropicScenario(scenario: ClientScenario): Promise<number> {
  const client = clientOf(scenario);
  return inTurn(client, scenario, [wantsTheKey, lists, writes, streams, callsTools, faults, aborts, writes]);
}

function clientOf({ url, key }: ClientScenario): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries: 0 });
}

async function wantsTheKey(_client: Anthropic, scenario: ClientScenario): Promise<void> {
  const stranger = clientOf({ ...scenario, key: 'not-a-key' });
  const refused = await stranger.messages.create(hello(scenario)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Anthropic.AuthenticationError);
  expect((refused as InstanceType<typeof Anthropic.APIError>).type).toBe('authentication_error');
  // The same key in the other header.
  const bearer = new Anthropic({
    baseURL: scenario.url,
    apiKey: null,
    authToken: scenario.key,
    maxRetries: 0,
  });
  expect((await bearer.models.list()).data.length).toBeGreaterThan(0);
}

function hello({ model }: ClientScenario, prompt = greeting) {
  return { model, max_tokens: 16, temperature: 0, messages: [{ role: 'user' as const, content: prompt }] };
}

/** Of its only block; null when that is no text. */
function textOf({ content: [block] }: Anthropic.Message): string | null {
  return block?.type === 'text' ? block.text : null;
}

async function lists(client: Anthropic, { model }: ClientScenario): Promise<void> {
  const ids: string[] = [];
  for await (const one of client.models.list({ limit: 1 })) ids.push(one.id);
  expect(ids).toContain(model);
  expect((await client.models.retrieve(model)).type).toBe('model');
}

async function writes(client: Anthropic, scenario: ClientScenario): Promise<void> {
  const message = await client.messages.create(hello(scenario));
  expectSaid(textOf(message), scenario);
  expect(message.usage.output_tokens).toBeGreaterThan(0);
  const { input_tokens: tokens } = await client.messages.countTokens({
    model: scenario.model,
    messages: [{ role: 'user', content: greeting }],
  });
  expect(tokens).toBeGreaterThan(0);
}

async function streams(client: Anthropic, scenario: ClientScenario): Promise<void> {
  let text = '';
  const stream = client.messages.stream(hello(scenario)).on('text', (piece) => (text += piece));
  const message = await stream.finalMessage();
  expectSaid(text, scenario);
  expect(message.content).toEqual([expect.objectContaining({ type: 'text', text })]);
  expect(message.usage.output_tokens).toBeGreaterThan(0);
}

async function callsTools(client: Anthropic, scenario: ClientScenario): Promise<void> {
  const { name, description, parameters } = weather;
  const tools = [{ name, description, input_schema: parameters }];
  const asked = { ...hello(scenario, 'How warm is Bremen?'), tools };
  if (scenario.tools === 'refused') {
    await expect(client.messages.create(asked)).rejects.toMatchObject({ status: 501, type: 'api_error' });
    return;
  }
  if (scenario.tools === 'called')
    for (const message of [
      await client.messages.create(asked),
      await client.messages.stream(asked).finalMessage(),
    ]) {
      expect(message.stop_reason).toBe('tool_use');
      expect(message.content).toEqual([
        expect.objectContaining({ type: 'tool_use', name, input: { city: 'Bremen' } }),
      ]);
    }
  const use = { type: 'tool_use' as const, id: 'call_1', name, input: { city: 'Bremen' } };
  const result = { type: 'tool_result' as const, tool_use_id: 'call_1', content: '7 degrees' };
  const answer = await client.messages.create({
    ...asked,
    messages: [...asked.messages, { role: 'assistant', content: [use] }, { role: 'user', content: [result] }],
  });
  expectSaid(textOf(answer), { says: scenario.tools === 'called' ? toolsAnswer : null });
}

async function faults(client: Anthropic, scenario: ClientScenario): Promise<void> {
  await expect(client.messages.create({ ...hello(scenario), model: 'no-such-model' })).rejects.toBeInstanceOf(
    Anthropic.NotFoundError,
  );
  await expect(client.messages.create({ ...hello(scenario), model: '' })).rejects.toBeInstanceOf(
    Anthropic.BadRequestError,
  );
  if (scenario.breakingPrompt === null) return;
  const broken = client.messages.stream(hello(scenario, scenario.breakingPrompt));
  const error = await broken.finalMessage().catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(Anthropic.APIError);
  expect((error as InstanceType<typeof Anthropic.APIError>).type).toBe('api_error');
}

async function aborts(client: Anthropic, scenario: ClientScenario): Promise<void> {
  const asked = { ...hello(scenario, scenario.longPrompt), max_tokens: longAnswer };
  const stream = client.messages.stream({ ...asked, ...scenario.long });
  const ended = stream.finalMessage().catch((error: unknown) => error);
  await stream.emitted('text');
  stream.abort();
  expect(await ended).toBeInstanceOf(Anthropic.APIUserAbortError);
  await until('the engine is free', async () => (await scenario.busy()) === 0);
}
