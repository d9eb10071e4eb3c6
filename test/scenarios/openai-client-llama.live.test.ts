import { expect, test } from 'vitest';
import { configFor, front, sha256 } from '../gateway/harness.ts';
import { findLlamaServer } from '../hosts/llama-server.ts';
import { runLlamaServer } from '../hosts/run-llama-server.ts';
import { openaiClientScenario } from './openai-client.ts';

const binary = findLlamaServer();

test.skipIf(binary === null)(
  `OpenAI's own client does the same with a real llama-server behind the gateway${binary ? '' : ' (no llama-server: tools/live/llama-server.sh gets one)'}`,
  { timeout: 300_000 },
  async () => {
    const { url, busy } = await runLlamaServer(binary ?? '');
    const gateway = await front(
      configFor([{ url, slots: 2 }], { keys: [{ id: 'test', name: 'test', sha256: sha256('test-key') }] }),
    );
    const steps = await openaiClientScenario({
      url: gateway.url,
      key: 'test-key',
      model: 'm',
      says: null,
      embeddingModel: null,
      slots: 2,
      busy,
      long: { ignore_eos: true },
      longPrompt: 'a long story about berths and ships '.repeat(60),
    });
    expect(steps).toBe(8);
  },
);
