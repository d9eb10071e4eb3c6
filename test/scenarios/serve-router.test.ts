import { expect, test } from 'vitest';
import { engine } from '../gateway/harness.ts';
import { allWithKey, askRouterBehindServe, engineKey } from '../support/router-behind-serve.ts';

test('berth serve asks all of a server that routes and has a key with that key: models, health, slots, completions, loading', async () => {
  const states: Record<string, string> = { one: 'unloaded', two: 'unloaded' };
  const server = await engine((turn) => {
    const { method, path, headers, body } = turn.request;
    if (headers['authorization'] !== `Bearer ${engineKey}`) return turn.json(401, {});
    const model = method === 'POST' ? (JSON.parse(body) as { model: string }).model : '';
    switch (path.replace(/\?.*/, '')) {
      case '/v1/models':
      case '/models':
        return turn.json(200, {
          data: Object.entries(states).map(([id, value]) => ({ id, status: { value } })),
        });
      case '/models/load':
      case '/v1/completions':
        states[model] = 'loaded';
        return turn.json(200, { choices: [{ index: 0, text: 'b', finish_reason: 'length' }] });
      case '/models/unload':
        states[model] = 'unloaded';
        return turn.json(200, { success: true });
      default:
        return turn.json(200, path.startsWith('/slots') ? [{ id: 0 }] : {});
    }
  });
  expect(await askRouterBehindServe(server.url)).toEqual(allWithKey);
});
