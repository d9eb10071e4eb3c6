import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, movableClock, postChat, sha256, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

async function two(): Promise<{ gateway: RunningGateway; kill: () => Promise<void> }> {
  const first = await engine(wellBehaved);
  const second = await engine(wellBehaved);
  const gateway = await front(
    configFor(
      [
        { id: 'a', deployment: 'a', url: first.url, paths: ['/v1/chat/completions', '/tokenize'] },
        { id: 'b', deployment: 'b', url: second.url },
      ],
      {
        routes: [
          { name: 'org/large', to: [{ deployment: 'a', weight: 1 }], aliasOf: null, context: 4096 },
          { name: 'gpt-4o', to: [{ deployment: 'a', weight: 1 }], aliasOf: 'org/large', context: 4096 },
          { name: 'other', to: [{ deployment: 'b', weight: 1 }], aliasOf: null },
        ],
      },
    ),
  );
  return { gateway, kill: second.stop };
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<unknown> {
  return (await fetch(url, { headers })).json();
}

test('the list tells of each name its state, its other names, its context and its endpoints', async () => {
  const { gateway, kill } = await two();
  await kill();
  await postChat(gateway.url, { model: 'other' });
  const base = { object: 'model', created: expect.any(Number), owned_by: 'test' };
  const large = { context_length: 4096, endpoints: ['/v1/chat/completions', '/tokenize'], status: 'ready' };
  expect(await ask(`${gateway.url}/v1/models`)).toEqual({
    object: 'list',
    data: [
      { ...base, ...large, id: 'org/large', alias_of: null, aliases: ['gpt-4o'] },
      { ...base, ...large, id: 'gpt-4o', alias_of: 'org/large', aliases: [] },
      {
        ...base,
        id: 'other',
        alias_of: null,
        aliases: [],
        context_length: null,
        endpoints: null,
        status: 'unavailable',
      },
    ],
  });
});

test('one model is found by its name, slashes and all', async () => {
  const { gateway } = await two();
  for (const path of ['org/large', 'org%2Flarge'])
    expect(await ask(`${gateway.url}/v1/models/${path}`)).toMatchObject({ id: 'org/large' });
  const bare = await errorOf(await fetch(`${gateway.url}/v1/models/`));
  expect(bare.message).toContain('Is /v1/models meant?');
  const missing = await fetch(`${gateway.url}/v1/models/none`);
  expect([missing.status, (await errorOf(missing)).code]).toEqual([404, 'model_not_found']);
});

test("a client of Anthropic's gets the same in its own shape", async () => {
  const { gateway } = await two();
  const headers = { 'anthropic-version': '2023-06-01' };
  const list = (await ask(`${gateway.url}/v1/models?limit=1000`, headers)) as { data: unknown[] };
  expect(list).toMatchObject({ has_more: false, first_id: 'org/large', last_id: 'other' });
  expect(list.data[0]).toMatchObject({
    type: 'model',
    id: 'org/large',
    display_name: 'org/large',
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    max_input_tokens: 4096,
  });
  expect(await ask(`${gateway.url}/v1/models/gpt-4o`, headers)).toMatchObject({
    type: 'model',
    id: 'gpt-4o',
  });
  expect(await ask(`${gateway.url}/v1/models/none`, headers)).toMatchObject({
    type: 'error',
    error: { type: 'not_found_error' },
  });
});

test('a key sees the models that it may ask for, in either shape', async () => {
  const upstream = await engine(wellBehaved);
  const keys = [{ id: 'k', name: 'k', sha256: sha256('right'), models: ['one'] }];
  const routes = ['one', 'two'].map((name) => ({
    name,
    to: [{ deployment: 'd', weight: 1 }],
    aliasOf: null,
  }));
  const gateway = await front(configFor([{ url: upstream.url }], { keys, routes }));
  for (const headers of [{}, { 'anthropic-version': '2023-06-01' }]) {
    const list = (await ask(`${gateway.url}/v1/models`, { 'x-api-key': 'right', ...headers })) as {
      data: { id: string }[];
    };
    expect(list.data.map(({ id }) => id)).toEqual(['one']);
  }
});

test('a model whose engine says that it is loading is listed so, until it says that it is well', async () => {
  const clock = movableClock();
  let health = 503;
  const upstream = await engine((turn) => {
    if (turn.request.path === '/health') turn.json(health, {});
    else wellBehaved(turn);
  });
  const gateway = await front(configFor([{ url: upstream.url, healthPath: '/health' }]), { clock });
  async function status(): Promise<unknown> {
    return ((await ask(`${gateway.url}/v1/models/m`)) as { status: unknown }).status;
  }
  await until('it is loading', async () => (await status()) === 'loading');
  health = 200;
  clock.advance(5000);
  await until('it is ready', async () => (await status()) !== 'loading');
  expect(await status()).toBe('ready');
});
