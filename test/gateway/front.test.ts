import { unobserved } from '../../src/domain/observe-config.ts';
import { expect, test } from 'vitest';
import { startFakeUpstream, wellBehaved } from './fake-upstream.ts';
import { chat, configFor, engine, errorOf, front, postChat, sha256, start } from './harness.ts';

/** Rules 11, 15 and 18, and what the gateway answers by itself. */

test('rule 15: models are listed with owner and status, aliases with what they stand for', async () => {
  const { gateway } = await start(wellBehaved, {
    routes: [
      { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
      { name: 'gpt-4o', to: [{ deployment: 'd', weight: 1 }], aliasOf: 'm' },
      { name: 'org/away', to: [{ deployment: 'nothing', weight: 1 }], aliasOf: null },
    ],
  });
  const list = (await (await fetch(`${gateway.url}/v1/models`)).json()) as {
    object: string;
    data: unknown[];
  };
  expect(list.object).toBe('list');
  expect(list.data).toMatchObject([
    { id: 'm', object: 'model', owned_by: 'test', status: 'ready', alias_of: null },
    { id: 'gpt-4o', status: 'ready', alias_of: 'm' },
    { id: 'org/away', status: 'unavailable' },
  ]);
  for (const name of ['org/away', 'org%2Faway'])
    expect(await (await fetch(`${gateway.url}/v1/models/${name}`)).json()).toMatchObject({ id: 'org/away' });
  expect((await fetch(`${gateway.url}/v1/models/other`)).status).toBe(404);
  expect((await postChat(gateway.url, { model: 'org/away' })).status).toBe(503);
});

test('rule 11: an unknown model gets a 404 that names those that are there', async () => {
  const { gateway } = await start(wellBehaved);
  const reply = await postChat(gateway.url, { model: 'gpt-9' });
  expect(reply.status).toBe(404);
  const error = await errorOf(reply);
  expect(error).toMatchObject({ code: 'model_not_found', param: 'model', type: 'invalid_request_error' });
  expect(error.message).toMatch(/gpt-9.*Models: m/);
});

test('without a key that is known nothing is served, and nothing is told', async () => {
  const keys = [
    { id: 'one', name: 'one', sha256: sha256('key-1') },
    { id: 'two', name: 'two', sha256: sha256('key-2').toUpperCase() },
  ];
  const { upstream, gateway } = await start(wellBehaved, { keys });
  for (const authorization of [undefined, 'Bearer nope', 'Basic a2V5LTE=', 'Bearer', 'key-1']) {
    for (const path of ['/v1/models', '/v1/models/m', '/v1/chat/completions']) {
      const reply = await fetch(`${gateway.url}${path}`, {
        method: path.includes('chat') ? 'POST' : 'GET',
        ...(path.includes('chat') ? { body: chat() } : {}),
        ...(authorization ? { headers: { authorization } } : {}),
      });
      expect(reply.status).toBe(401);
      expect((await errorOf(reply)).type).toBe('authentication_error');
    }
  }
  expect(upstream.seen).toEqual([]);
  for (const key of ['key-1', 'key-2'])
    expect((await postChat(gateway.url, {}, { headers: { authorization: `Bearer ${key}` } })).status).toBe(
      200,
    );
});

test.each([
  '/v1/messages/batches',
  '/v1/files',
  '/v1/batches/b1/cancel',
  '/v1/realtime?model=m',
  '/v1/audio/voices',
])('%s, which clients know from elsewhere, answers 501 and says why it is not served', async (path) => {
  const { gateway } = await start(wellBehaved);
  const reply = await fetch(`${gateway.url}${path}`, { method: 'POST', body: '{}' });
  expect(reply.status).toBe(501);
  expect(reply.headers.get('x-should-retry')).toBe('false');
  const { error } = (await reply.json()) as { error: { message: string } };
  expect(error.message).toMatch(/^This gateway does not serve \S+\. \S.+\.$/);
  expect(error.message).toContain(path.split('?')[0]);
});

test('a path that nobody knows gets a 404, a wrong method a 405 that says which is right', async () => {
  const { gateway } = await start(wellBehaved);
  const unknown = await fetch(`${gateway.url}/v2/nothing`);
  expect(unknown.status).toBe(404);
  const { message } = await errorOf(unknown);
  expect(message).toContain('GET /v1/models');
  expect(message).toContain('POST /v1/chat/completions');
  const wrong = await fetch(`${gateway.url}/v1/chat/completions`);
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  await errorOf(wrong);
  const posted = await fetch(`${gateway.url}/v1/models`, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test.each([
  ['/chat/completions', '/v1/chat/completions'],
  ['/v1/v1/messages', '/v1/messages'],
  ['/v1/chat/completions/', '/v1/chat/completions'],
  ['/v1/infill', '/infill'],
  ['/models', '/v1/models'],
  ['//v1/chat/completions', '/v1/chat/completions'],
  ['/v1//embeddings', '/v1/embeddings'],
])('%s gets a 404 that asks whether %s is meant', async (path, meant) => {
  const { gateway } = await start(wellBehaved);
  const reply = await fetch(gateway.url + path, { method: 'POST', body: '{"model":"m"}' });
  expect(reply.status).toBe(404);
  expect((await errorOf(reply)).message).toContain(`Is ${meant} meant?`);
});

test('an endpoint that the engine does not have gets a 501 that says so', async () => {
  const { gateway } = await start(wellBehaved, { upstream: { paths: ['/v1/chat/completions'] } });
  const reply = await fetch(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    body: '{"model":"m","input":"x"}',
  });
  expect(reply.status).toBe(501);
  expect((await errorOf(reply)).code).toBe('endpoint_not_supported');
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('every reply names its request, by the name the client gave it if that is a good one', async () => {
  const { gateway } = await start(wellBehaved);
  for (const path of ['/v1/models', '/healthz', '/nothing']) {
    const given = await fetch(`${gateway.url}${path}`, { headers: { 'x-request-id': 'mine-1' } });
    expect(given.headers.get('x-request-id')).toBe('mine-1');
    const made = await fetch(`${gateway.url}${path}`, { headers: { 'x-request-id': 'not fit' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('health says that the gateway lives, readiness whether it can serve', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  await upstream.stop();
  await postChat(gateway.url);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  const unready = await fetch(`${gateway.url}/readyz`);
  expect(unready.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect([unready.status, await unready.json()]).toEqual([503, { status: 'unready', missing: ['m'] }]);
});

test('where requests want a key, readiness names models to whoever may ask for them alone', async () => {
  const { upstream, gateway } = await start(wellBehaved, {
    keys: [
      { id: 'a', models: ['m'] },
      { id: 'b', models: ['other'] },
    ].map((key) => ({
      ...key,
      name: key.id,
      sha256: sha256(key.id),
    })),
  });
  await upstream.stop();
  function ask(path: string, key?: string): Promise<Response> {
    return fetch(
      gateway.url + path,
      key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
    );
  }
  await postChat(gateway.url, {}, { headers: { authorization: 'Bearer a' } });
  for (const [key, missing] of [
    [undefined, {}],
    ['unknown', {}],
    ['a', { missing: ['m'] }],
    ['b', { missing: [] }],
  ] as const) {
    const reply = await ask('/readyz', key);
    expect([reply.status, await reply.json()]).toEqual([503, { status: 'unready', ...missing }]);
  }
});

test('one dead model of several leaves the gateway ready, and is named; nor is one missing that a fallback serves', async () => {
  const [dies, lives] = [await startFakeUpstream(wellBehaved), await engine(wellBehaved)];
  function to(deployment: string) {
    return [{ deployment, weight: 1 }];
  }
  const upstreams = [
    { id: 'dies', deployment: 'dies', url: dies.url },
    { id: 'lives', deployment: 'lives', url: lives.url },
  ];
  const routes = [
    { name: 'dies', to: to('dies'), aliasOf: null },
    { name: 'lives', to: to('lives'), aliasOf: null },
    {
      name: 'backed',
      to: to('dies'),
      aliasOf: null,
      fallback: { to: ['lives'], on: ['unreachable' as const] },
    },
    { name: 'full', to: to('dies'), aliasOf: null, fallback: { to: ['lives'], on: ['full' as const] } },
  ];
  const gateway = await front(configFor(upstreams, { routes }));
  await dies.stop();
  expect((await postChat(gateway.url, { model: 'dies' })).status).toBe(503);
  const reply = await fetch(`${gateway.url}/readyz`);
  expect([reply.status, await reply.json()]).toEqual([200, { status: 'ready', missing: ['dies', 'full'] }]);
});

test('metrics carry the native and, where asked for, the conventional names, in a form that Prometheus reads', async () => {
  const observe = { ...unobserved, genAi: true };
  const { gateway } = await start(wellBehaved, { upstream: { slots: 4 }, observe });
  await (await postChat(gateway.url, { stream: true })).text();
  await (await postChat(gateway.url)).text();
  await postChat(gateway.url, { model: 'unknown model "x"' });
  const reply = await fetch(`${gateway.url}/metrics`);
  expect(reply.headers.get('content-type')).toContain('version=0.0.4');
  const text = await reply.text();
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="([^"\\]|\\.)*",?)*\})? (\d+(\.\d+)?(e[+-]\d+)?|\+Inf))$/,
    );
  for (const [name, value] of [
    ['berth_gateway_request_duration_seconds_count', 3],
    ['berth_gateway_ttft_seconds_count', 1],
    ['berth_gateway_queue_wait_seconds_count', 2],
    ['berth_gateway_slots', 4],
    ['gen_ai_server_request_duration_seconds_count', 3],
    ['gen_ai_server_time_to_first_token_seconds_count', 1],
    ['gen_ai_client_token_usage_sum', 20],
  ] as const)
    expect([name, await gateway.metric(name)]).toEqual([name, value]);
});

test('an engine behind a path prefix and with its own key is reached with both', async () => {
  const { upstream } = await start(wellBehaved);
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(`${tmpdir()}/berth-`);
  await writeFile(`${folder}/key`, 'engine-key\n');
  const gateway = await front(configFor([{ url: `${upstream.url}/openai`, keyFile: `${folder}/key` }]));
  await postChat(gateway.url, {}, { headers: { authorization: 'Bearer client-key' } });
  expect(upstream.seen[0]?.path).toBe('/openai/v1/chat/completions');
  expect(upstream.seen[0]?.headers['authorization']).toBe('Bearer engine-key');
});
