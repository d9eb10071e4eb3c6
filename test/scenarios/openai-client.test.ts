import { expect, test } from 'vitest';
import { chatEvent, doneEvent, wellBehaved } from '../gateway/fake-upstream.ts';
import type { Turn } from '../gateway/fake-upstream.ts';
import { configFor, engine, front, sha256 } from '../gateway/harness.ts';
import { openaiClientScenario } from './openai-client.ts';

test(
  "OpenAI's own client lists, completes, chats, embeds and aborts in every phase",
  { timeout: 300_000 },
  async () => {
    let busy = 0;
    const upstream = await engine((turn) => {
      busy += 1;
      void turn.closed.then(() => (open.delete(turn) ? (busy -= 1) : 0));
      const open = new Set([turn]);
      void answer(turn).then((whole) => (whole && open.delete(turn) ? (busy -= 1) : 0));
    });
    const gateway = await front(
      configFor([{ url: upstream.url, slots: 2, model: 'engine-model' }], {
        keys: [{ id: 'test', name: 'test', sha256: sha256('test-key') }],
      }),
    );
    const steps = await openaiClientScenario({
      url: gateway.url,
      key: 'test-key',
      model: 'm',
      says: 'Hello!',
      embeddingModel: 'm',
      slots: 2,
      busy: async () => busy,
      long: { endless: true },
      longPrompt: 'a prompt that is never read',
    });
    expect(steps).toBe(8);
  },
);

/** True when the reply is whole. Reads the long prompt for ever, and writes for ever when asked to. */
async function answer(turn: Turn): Promise<boolean> {
  const { body } = turn.request;
  if (body.includes('never read')) return false;
  if (!body.includes('"endless":true')) {
    wellBehaved(turn);
    return true;
  }
  let gone = false;
  void turn.closed.then(() => (gone = true));
  turn.stream();
  for (let i = 0; i < 20_000 && !gone; i += 1) {
    turn.chunk(chatEvent(`${i} `));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  turn.chunk(doneEvent);
  return false;
}
