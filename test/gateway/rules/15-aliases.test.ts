import { expect, test } from 'vitest';
import { wellBehaved } from '../fake-upstream.ts';
import { postChat, start } from '../harness.ts';

test('rule 15: the engine gets its own name for the model; the reply keeps what it wrote and a header tells', async () => {
  const { upstream, gateway } = await start(wellBehaved, {
    upstream: { model: 'engine-model' },
    routes: [
      { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
      { name: 'gpt-4o', to: [{ deployment: 'd', weight: 1 }], aliasOf: 'm' },
    ],
  });
  for (const model of ['m', 'gpt-4o']) {
    const reply = await postChat(gateway.url, { model, stream: true });
    expect(reply.headers.get('x-berth-model')).toBe('engine-model');
    expect(await reply.text()).toContain('"model":"engine-model"');
  }
  expect(upstream.seen.map(({ body }) => (JSON.parse(body) as { model: string }).model)).toEqual([
    'engine-model',
    'engine-model',
  ]);
});
