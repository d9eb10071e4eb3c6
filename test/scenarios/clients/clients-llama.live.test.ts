import { expect, test } from 'vitest';
import { llamaCpp } from '../../../src/engines/llama-cpp.ts';
import { configFor, front, sha256 } from '../../gateway/harness.ts';
import type { RunningGateway } from '../../gateway/harness.ts';
import { findLlamaServer } from '../../hosts/llama-server.ts';
import { runLlamaServer } from '../../hosts/run-llama-server.ts';
import { aiSdkScenario } from './ai-sdk.ts';
import { anthropicScenario } from './anthropic.ts';
import { langchainScenario } from './langchain.ts';
import { openaiScenario } from './openai.ts';
import type { ClientScenario } from './scenario.ts';

const binary = findLlamaServer();
const missing = binary ? '' : ' (no llama-server: tools/live/llama-server.sh gets one)';
const longer = { timeout: 300_000 };

/** Embeddings and chat of one server: it answers both when started for the first. */
async function scene(): Promise<ClientScenario & { gateway: RunningGateway }> {
  const { url, busy } = await runLlamaServer(binary ?? '', [
    '--embeddings',
    '--pooling',
    'mean',
    '--ignore-eos',
  ]);
  const keys = [{ id: 'test', name: 'test', sha256: sha256('test-key') }];
  const gateway = await front(configFor([{ url, slots: 2, paths: [...llamaCpp.paths] }], { keys }));
  return {
    gateway,
    url: gateway.url,
    key: 'test-key',
    model: 'm',
    says: null,
    tools: 'taken',
    embeds: true,
    busy,
    longPrompt: 'Tell me a long story.',
    long: {},
    breakingPrompt: null,
  };
}

test.skipIf(binary === null)(
  `OpenAI's client uses tools, Responses and embeddings of a real llama-server through the gateway${missing}`,
  longer,
  async () => {
    expect(await openaiScenario(await scene())).toBe(7);
  },
);

test.skipIf(binary === null)(
  `Anthropic's client uses the Messages of a real llama-server through the gateway${missing}`,
  longer,
  async () => {
    const { gateway, ...scenario } = await scene();
    expect(await anthropicScenario(scenario)).toBe(8);
    const tokens = 'berth_gateway_tokens_total';
    expect(await gateway.metric(tokens, 'direction="input",source="engine"')).toBeGreaterThan(0);
    expect(await gateway.metric(tokens, 'direction="output",source="engine"')).toBeGreaterThan(16);
  },
);

test.skipIf(binary === null)(
  `Vercel's AI SDK does its work with a real llama-server behind the gateway${missing}`,
  longer,
  async () => {
    expect(await aiSdkScenario(await scene())).toBe(8);
  },
);

test.skipIf(binary === null)(
  `a LangChain chat model does its work with a real llama-server behind the gateway${missing}`,
  longer,
  async () => {
    expect(await langchainScenario(await scene())).toBe(8);
  },
);

test.skipIf(binary === null)(
  `every endpoint that llama-server is said to have is there${missing}`,
  longer,
  async () => {
    const { gateway } = await scene();
    const headers = { authorization: 'Bearer test-key', 'content-type': 'application/json' };
    for (const path of llamaCpp.paths) {
      if (path === '/v1/models' || path.startsWith('/v1/audio/')) continue;
      const reply = await fetch(gateway.url + path, { method: 'POST', headers, body: '{"model":"m"}' });
      const body = await reply.text();
      expect(reply.headers.get('x-berth-origin'), path).toBe('upstream');
      expect(body, path).not.toContain('File Not Found');
    }
    const tokens = await fetch(`${gateway.url}/tokenize`, {
      method: 'POST',
      headers,
      body: '{"content":"a b"}',
    });
    expect(await tokens.json()).toMatchObject({ tokens: expect.arrayContaining([expect.any(Number)]) });
  },
);
