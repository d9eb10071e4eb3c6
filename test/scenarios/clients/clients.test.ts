import { expect, test } from 'vitest';
import { configFor, engine, front, sha256 } from '../../gateway/harness.ts';
import { aiSdkScenario } from './ai-sdk.ts';
import { anthropicScenario } from './anthropic.ts';
import { langchainScenario } from './langchain.ts';
import { openaiAudioScenario, openaiScenario } from './openai.ts';
import { plays } from './playing-engine.ts';
import type { ClientScenario } from './scenario.ts';

/** The clients that people use, unchanged, against an engine that plays what real ones send. */
async function scene(): Promise<ClientScenario> {
  let busy = 0;
  const upstream = await engine(async (turn) => {
    busy += 1;
    await plays(turn);
    busy -= 1;
  });
  const keys = [{ id: 'test', name: 'test', sha256: sha256('test-key') }];
  const gateway = await front(configFor([{ url: upstream.url, slots: 2, model: 'tiny' }], { keys }));
  return {
    url: gateway.url,
    key: 'test-key',
    model: 'm',
    says: 'Hello there!',
    tools: 'called',
    embeds: true,
    busy: async () => busy,
    longPrompt: 'Tell me an endless story.',
    long: {},
    breakingPrompt: 'A story that breaks off.',
  };
}

test("OpenAI's own client calls tools, uses Responses and knows its errors", async () => {
  expect(await openaiScenario(await scene())).toBe(7);
});

test("OpenAI's own client sends its forms of audio, and hears", async () => {
  expect(await openaiAudioScenario(await scene())).toEqual(['Hello there!', 'Hello there!']);
});

test("Anthropic's own client lists, counts, writes, streams, calls tools, aborts and knows its errors", async () => {
  expect(await anthropicScenario(await scene())).toBe(8);
});

test("Vercel's AI SDK writes, streams, calls tools, embeds, aborts and knows its errors", async () => {
  expect(await aiSdkScenario(await scene())).toBe(8);
});

test('a LangChain chat model writes, streams, calls tools, embeds, aborts and knows its errors', async () => {
  expect(await langchainScenario(await scene())).toBe(8);
});
