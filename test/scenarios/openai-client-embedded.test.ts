import { expect, onTestFinished, test } from 'vitest';
import { configFor, front, sha256 } from '../gateway/harness.ts';
import { get, randomModel, startReady } from '../support/embedded.ts';
import { openaiClientScenario } from './openai-client.ts';

test(
  "OpenAI's own client does the same with the embedded engine behind the gateway",
  { timeout: 300_000 },
  async () => {
    const model = await randomModel();
    onTestFinished(model.remove);
    const running = await startReady(model.path, ['--slots', '2', '--context', '8192', '--embeddings']);
    onTestFinished(async () => {
      running.kill('SIGKILL');
      await running.exited;
    });
    const gateway = await front(
      configFor([{ url: `http://127.0.0.1:${running.port}`, slots: 2 }], {
        keys: [{ id: 'test', name: 'test', sha256: sha256('test-key') }],
      }),
    );
    const steps = await openaiClientScenario({
      url: gateway.url,
      key: 'test-key',
      model: 'm',
      says: null,
      embeddingModel: 'm',
      slots: 2,
      busy: async () => {
        const slots = (await get(running, '/slots')).json() as unknown as { is_processing: boolean }[];
        return slots.filter((slot) => slot.is_processing).length;
      },
      long: { ignore_eos: true },
      longPrompt: 'a long story about berths and ships '.repeat(60),
    });
    expect(steps).toBe(8);
  },
);
