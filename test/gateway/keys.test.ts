import { once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ClientKey } from '../../src/domain/client-key.ts';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, engine, errorOf, front, postChat, sha256, start, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';

/** Rules 11, 17 and 18: who may ask for what, and that the engine reads the same names as the check. */

const routes: GatewayConfig['routes'] = [
  { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
  { name: 'm-alias', to: [{ deployment: 'd', weight: 1 }], aliasOf: 'm' },
  { name: 'dear', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
];

function key(name: string, more: Partial<ClientKey> = {}): ClientKey {
  return { id: `id-${name}`, name, sha256: sha256(name), ...more };
}

function as(name: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${name}` } };
}

test('a key with models sees and uses those and their aliases, and learns no other name', async () => {
  const { upstream, gateway } = await start(wellBehaved, { routes, keys: [key('guest', { models: ['m'] })] });
  const list = await fetch(`${gateway.url}/v1/models`, as('guest'));
  const { data } = (await list.json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual(['m', 'm-alias']);
  for (const model of ['m', 'm-alias'])
    expect((await postChat(gateway.url, { model }, as('guest'))).status).toBe(200);
  const refused = await postChat(gateway.url, { model: 'dear' }, as('guest'));
  expect(refused.status).toBe(403);
  expect(await errorOf(refused)).toMatchObject({
    type: 'permission_error',
    code: 'model_not_allowed',
    param: 'model',
    message: 'This API key may not ask for the model "dear". It may ask for: m, m-alias.',
  });
  expect((await fetch(`${gateway.url}/v1/models/dear`, as('guest'))).status).toBe(403);
  const unknown = await errorOf(await postChat(gateway.url, { model: 'else' }, as('guest')));
  expect(unknown.message).not.toContain('dear');
  expect(upstream.seen.length).toBe(2);
});

test('a key with endpoints gets a 403 elsewhere that says where it may go', async () => {
  const { gateway } = await start(wellBehaved, {
    keys: [key('embedder', { endpoints: ['/v1/embeddings'] })],
  });
  const refused = await postChat(gateway.url, {}, as('embedder'));
  expect(refused.status).toBe(403);
  expect(await errorOf(refused)).toMatchObject({
    code: 'endpoint_not_allowed',
    message: 'This API key may not use /v1/chat/completions. It may use: /v1/embeddings.',
  });
  const served = await fetch(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', input: 'x' }),
    ...as('embedder'),
  });
  expect(served.status).toBe(200);
});

test('a key that has expired gets a 401 that says so', async () => {
  const { gateway } = await start(wellBehaved, {
    keys: [
      key('old', { expiresAt: '2020-01-01T00:00:00Z' }),
      key('new', { expiresAt: '2999-01-01T00:00:00Z' }),
    ],
  });
  const refused = await postChat(gateway.url, {}, as('old'));
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  expect(await errorOf(refused)).toMatchObject({
    type: 'authentication_error',
    code: 'api_key_expired',
    message: expect.stringContaining('2020-01-01'),
  });
  expect((await postChat(gateway.url, {}, as('new'))).status).toBe(200);
});

test('a key with models does not get past them by asking an engine as it is', async () => {
  const { upstream, gateway } = await start(wellBehaved, {
    keys: [key('guest', { models: ['m'] }), key('free')],
  });
  async function exact(name: string): Promise<Response> {
    const init = { method: 'POST', body: chat({ model: 'dear' }), ...as(name) };
    return fetch(`${gateway.url}/upstream/m/v1/chat/completions`, init);
  }
  expect(await errorOf(await exact('guest'))).toMatchObject({ code: 'endpoint_not_allowed' });
  expect(upstream.seen).toEqual([]);
  // Nor does one without models have it name what is offered to nobody.
  expect(await errorOf(await exact('free'))).toMatchObject({ code: 'model_not_allowed' });
  expect(upstream.seen).toEqual([]);
});

test('a key with models does not get past them by a model in the query, which some servers go by', async () => {
  const { upstream, gateway } = await start(wellBehaved, { keys: [key('guest', { models: ['m'] })] });
  for (const query of ['model=dear', 'a=1&mod%65l=dear&b=2', 'a=1;model=dear'])
    await fetch(`${gateway.url}/v1/chat/completions?${query}`, {
      method: 'POST',
      body: chat(),
      ...as('guest'),
    });
  expect(upstream.seen.map(({ path }) => path)).toEqual([
    '/v1/chat/completions',
    '/v1/chat/completions?a=1&b=2',
    '/v1/chat/completions',
  ]);
});

const fallbacks = [
  { models: ['m', 'dear'] },
  { fallbacks: ['dear'] },
  { context_window_fallbacks: [{ m: ['dear'] }] },
  { router_settings_override: { fallbacks: [{ m: ['dear'] }] } },
  { providerOptions: { gateway: { order: ['azure'], models: ['dear'] } } },
];

test('a key with models does not get past them by fallbacks that a server elsewhere takes from the body', async () => {
  const { upstream, gateway } = await start(wellBehaved, {
    keys: [key('guest', { models: ['m'] }), key('free'), key('operator', { control: true })],
  });
  async function ask(name: string, more: object): Promise<number> {
    return (await postChat(gateway.url, { ...more }, as(name))).status;
  }
  for (const more of fallbacks) expect(await ask('guest', more)).toBe(400);
  expect(await errorOf(await postChat(gateway.url, fallbacks[0], as('guest')))).toMatchObject({
    code: 'fallbacks_refused',
    param: 'models',
  });
  expect(upstream.seen).toEqual([]);
  const harmless = [
    { models: null },
    { fallbacks: [] },
    { providerOptions: { gateway: { order: ['azure'] } } },
  ];
  for (const more of harmless) expect([more, await ask('guest', more)]).toEqual([more, 200]);
  // Nothing bounds these.
  for (const more of fallbacks)
    expect([await ask('free', more), await ask('operator', more)]).toEqual([200, 200]);
});

test.each([
  ['limits', { models: { dear: { rpm: 1 } } }],
  ['a price', { prices: { dear: { input: 1, output: 1 } } }],
])(
  'nor does a key without models where one has %s; an engine of one model is asked as before',
  async (_, more) => {
    const quotas = { ...noQuotas, ...more };
    const several = await start(wellBehaved, { keys: [key('free')], quotas });
    const one = await start(wellBehaved, {
      keys: [key('free')],
      quotas,
      upstream: { asItIs: { computing: [], oneModel: true } },
    });
    for (const more of fallbacks) {
      expect((await postChat(several.gateway.url, more, as('free'))).status).toBe(400);
      expect((await postChat(one.gateway.url, more, as('free'))).status).toBe(200);
    }
  },
);

test('nor where the route of its model falls back to such a server', async () => {
  const near = await engine(wellBehaved);
  const gateway = await front(
    configFor(
      [
        { url: near.url, asItIs: { computing: [], oneModel: true } },
        { url: near.url, deployment: 'far' },
      ],
      {
        keys: [key('guest', { models: ['m'] })],
        routes: [
          { name: 'far', to: [{ deployment: 'far', weight: 1 }], aliasOf: null },
          {
            name: 'm',
            to: [{ deployment: 'd', weight: 1 }],
            aliasOf: null,
            fallback: { on: ['unreachable'], to: ['far'] },
          },
        ],
      },
    ),
  );
  expect((await postChat(gateway.url, { models: ['dear'] }, as('guest'))).status).toBe(400);
  expect((await postChat(gateway.url, {}, as('guest'))).status).toBe(200);
});

test('nor where an engine that may have several models is yet to be loaded', async () => {
  const { gateway, asked } = await stage({ m: {} }, { config: { keys: [key('guest', { models: ['m'] })] } });
  expect((await postChat(gateway.url, { models: ['dear'] }, as('guest'))).status).toBe(400);
  expect(asked).toEqual([]);
});

/** What one parser takes for "m" and another for "dear". */
const ambiguous: Record<string, string> = {
  'two models': '{"model":"m","model":"dear","messages":[]}',
  'an escaped second name': '{"model":"m","mode\\u006c":"dear","messages":[]}',
  'a second name in capitals': '{"model":"m","MODEL":"dear","messages":[]}',
  'a byte order mark': '\ufeff{"model":"dear","messages":[]}',
  'a model inside another value': '{"messages":[{"model":"m"}],"model":"dear"}',
};

test.each(Object.keys(ambiguous))('a body with %s gets no key past its models', async (name) => {
  const { upstream, gateway } = await start(wellBehaved, { routes, keys: [key('guest', { models: ['m'] })] });
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: ambiguous[name] ?? '',
    ...as('guest'),
  });
  expect([400, 403]).toContain(reply.status);
  expect(upstream.seen).toEqual([]);
});

test('a key in x-api-key counts beside what a proxy in front wanted to see', async () => {
  const { upstream, gateway } = await start(wellBehaved, { keys: [key('client')] });
  async function asked(headers: Record<string, string>): Promise<number> {
    return (await postChat(gateway.url, {}, { headers })).status;
  }
  const basic = 'Basic dXNlcjpzZWNyZXQ=';
  expect(await asked({ authorization: basic, 'x-api-key': 'client' })).toBe(200);
  expect(await asked({ authorization: basic, 'x-api-key': 'other' })).toBe(401);
  expect(await asked({ authorization: basic })).toBe(401);
  // Of two keys the one in Authorization counts.
  expect(await asked({ authorization: 'Bearer other', 'x-api-key': 'client' })).toBe(401);
  expect(upstream.seen[0]?.headers).not.toHaveProperty('authorization');
});

test('no key of a client reaches the engine, whichever header it came in', async () => {
  const { upstream, gateway } = await start(wellBehaved, { keys: [key('client')] });
  for (const headers of [{ authorization: 'Bearer client' }, { 'x-api-key': 'client' }])
    expect(
      (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: chat(), headers })).status,
    ).toBe(200);
  expect(upstream.seen.length).toBe(2);
  for (const { headers } of upstream.seen) expect(JSON.stringify(headers)).not.toContain('client');
});

test('a key that is taken away is refused at once, on kept connections too, and its running stream goes on', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const shape = [{ url: upstream.url }];
  const gateway = await front(configFor(shape, { keys: [key('leaver'), key('stayer')] }));
  const running = await postChat(gateway.url, { stream: true }, as('leaver'));
  await until('it is served', () => held.length === 1);
  await gateway.reload(configFor(shape, { keys: [key('stayer')] }));
  expect((await postChat(gateway.url, {}, as('leaver'))).status).toBe(401);
  expect((await fetch(`${gateway.url}/v1/models`, as('stayer'))).status).toBe(200);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await running.text()).toContain('finished');
});

test('a key that is revoked is refused at once on a connection that has used it', async () => {
  const upstream = await engine(wellBehaved);
  const config = configFor([upstream], { keys: [key('guest'), key('other')] });
  const gateway = await front(config);
  const socket = net.connect(gateway.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const body = JSON.stringify({ model: 'm', messages: [] });
  // The same bytes each time, so that nothing of the head needs to be looked at again.
  const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer guest\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  async function statusOfNext(): Promise<string> {
    const came = once(socket, 'data');
    socket.write(request);
    return String((await came)[0]).slice(9, 12);
  }
  for (let i = 0; i < 3; i += 1) expect(await statusOfNext()).toBe('200');
  await gateway.reload({ ...config, keys: [key('other')] });
  expect(await statusOfNext()).toBe('401');
  await gateway.reload({ ...config, keys: [key('guest', { models: ['else'] })] });
  expect(await statusOfNext()).toBe('403');
  await gateway.reload({
    ...config,
    keys: [key('guest', { expiresAt: new Date(Date.now() - 1).toISOString() })],
  });
  expect(await statusOfNext()).toBe('401');
});
