import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { embedded } from '../../../src/engines/embedded.ts';
import { configFor, front, sha256 } from '../../gateway/harness.ts';
import type { RunningGateway } from '../../gateway/harness.ts';
import { get, randomModel, startReady } from '../../support/embedded.ts';
import { aiSdkScenario } from './ai-sdk.ts';
import { anthropicScenario } from './anthropic.ts';
import { langchainScenario } from './langchain.ts';
import { greeting } from './scenario.ts';
import type { ClientScenario } from './scenario.ts';

/** What the engine says to a client that asks it without a gateway. */
async function saysAlone(url: string): Promise<string> {
  const messages = [{ role: 'user', content: greeting }];
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages, temperature: 0, max_tokens: 16 }),
  });
  const { choices } = (await reply.json()) as { choices: { message: { content: string } }[] };
  const said = choices[0]?.message.content ?? '';
  expect(said).toMatch(/./s);
  return said;
}

async function scene(): Promise<ClientScenario & { gateway: RunningGateway }> {
  const model = await randomModel();
  onTestFinished(model.remove);
  const running = await startReady(model.path, ['--slots', '2', '--context', '8192', '--embeddings']);
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running.exited;
  });
  const keys = [{ id: 'test', name: 'test', sha256: sha256('test-key') }];
  const upstream = { url: `http://127.0.0.1:${running.port}`, slots: 2, paths: [...embedded.paths] };
  const gateway = await front(configFor([upstream], { keys }));
  return {
    gateway,
    url: gateway.url,
    key: 'test-key',
    model: 'm',
    says: await saysAlone(upstream.url),
    tools: 'refused',
    embeds: true,
    busy: async () => {
      const slots = (await get(running, '/slots')).json() as unknown as { is_processing: boolean }[];
      return slots.filter((slot) => slot.is_processing).length;
    },
    longPrompt: 'Tell me a long story.',
    long: { ignore_eos: true },
    breakingPrompt: null,
  };
}

test(
  "Vercel's AI SDK, LangChain and Anthropic's client do their work with the embedded engine behind the gateway",
  { timeout: 300_000 },
  async () => {
    const scenario = await scene();
    expect(await aiSdkScenario(scenario)).toBe(8);
    expect(await langchainScenario(scenario)).toBe(8);
    expect(await anthropicScenario(scenario)).toBe(8);
    // What it does not have, it is asked for once: the client's retries are not used.
    const client = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: scenario.key, maxRetries: 3 });
    const asked = client.responses.create({ model: 'm', input: 'Hi' });
    await expect(asked).rejects.toMatchObject({ status: 501, code: 'endpoint_not_supported' });
    expect(await scenario.gateway.metric('berth_gateway_requests_total', 'endpoint="/v1/responses"')).toBe(1);
  },
);
