import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, engine, errorOf, front, postChat, sha256, until } from './harness.ts';
import type { RunningGateway, UpstreamShape } from './harness.ts';

/** What a request below `/upstream/` computes is held to the limits of the model that it names, where its engine has several. */

const keys = [{ id: 'guest' }, { id: 'operator', control: true }].map((key) => ({
  ...key,
  name: key.id,
  sha256: sha256(key.id),
}));

function route(
  name: string,
  deployment = 'd',
  aliasOf: string | null = null,
): GatewayConfig['routes'][number] {
  return { name, to: [{ deployment, weight: 1 }], aliasOf };
}

const oneModel = { asItIs: { computing: [], oneModel: true } };

/** An engine with "small" and "big", of which each key may ask the latter once a minute. */
async function place(
  more: { readonly shape?: Partial<UpstreamShape>; readonly change?: Partial<GatewayConfig> } = {},
): Promise<RunningGateway> {
  const upstream = await engine((turn) => turn.json(200, {}));
  const { limits: _limits, ...change } = more.change ?? {};
  return front(
    configFor([{ url: upstream.url, ...more.shape }], {
      keys,
      routes: [route('small'), route('big'), route('large', 'd', 'big')],
      quotas: { ...noQuotas, models: { big: { rpm: 1 } } },
      ...change,
    }),
  );
}

interface Ask {
  readonly key?: string | null;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | FormData;
}

function ask(
  gateway: RunningGateway,
  { key = 'guest', path, method, headers, body }: Ask,
): Promise<Response> {
  return fetch(`${gateway.url}/upstream/${path ?? 'small/v1/chat/completions'}`, {
    method: method ?? 'POST',
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
    ...(body !== undefined && { body }),
  });
}

async function outcome(reply: Promise<Response>): Promise<unknown> {
  const { status, ...rest } = await reply.then(async (one) => ({
    status: one.status,
    body: await one.text(),
  }));
  return status < 400
    ? status
    : `${status} ${(JSON.parse(rest.body) as { error: { code: string } }).error.code}`;
}

function form(model: string): FormData {
  const data = new FormData();
  data.set('model', model);
  data.set('file', new Blob(['x']));
  return data;
}

const ways: readonly (readonly [string, Ask])[] = [
  ['its body', { body: chat({ model: 'big' }) }],
  ['an alias in its body', { body: chat({ model: 'large' }) }],
  [
    'a body that is called something else',
    { body: chat({ model: 'big' }), headers: { 'content-type': 'text/plain' } },
  ],
  ['a form', { path: 'small/v1/audio/transcriptions', body: form('big') }],
  ['its query', { path: 'small/props?autoload=1&model=big', method: 'GET' }],
  ['its query, after a semicolon', { path: 'small/props?a=1;model=big', method: 'GET' }],
  ['its path', { path: 'small/v2/models/big/infer', body: '{}' }],
];

test.each(ways)('the limits hold of the model that a request names by %s', async (_, way) => {
  const gateway = await place();
  expect(
    (await postChat(gateway.url, { model: 'big' }, { headers: { authorization: 'Bearer guest' } })).status,
  ).toBe(200);
  expect(await outcome(ask(gateway, way))).toBe('429 rate_limit_exceeded');
  // That of the path has none.
  expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: '{"messages":[]}' }))).toBe(200);
});

test('what was asked for by its name alone is not counted as the model of the path', async () => {
  const gateway = await place({ change: { quotas: { ...noQuotas, models: { small: { rpm: 1 } } } } });
  for (let i = 0; i < 3; i += 1)
    expect(await outcome(ask(gateway, { body: chat({ model: 'big' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe('429 rate_limit_exceeded');
  const usage = (await gateway.control({ do: 'usage' })) as { uses: { model: string; requests: number }[] };
  expect(usage.uses.find(({ model }) => model === 'big')?.requests).toBe(3);
});

test.each<readonly [string, Ask, string]>([
  ['a model that no route leads to', { body: chat({ model: 'BIG' }) }, '403 model_not_allowed'],
  ['one in its query', { path: 'small/props?model=other', method: 'GET' }, '403 model_not_allowed'],
  [
    'two models',
    { path: 'small/v1/completions?model=small', body: chat({ model: 'big' }) },
    '400 model_ambiguous',
  ],
  [
    'a model twice',
    { path: 'small/completion', body: '{"model":"small","model":"big"}' },
    '400 model_unreadable',
  ],
  [
    'a model in an encoded body',
    { path: 'small/completion', headers: { 'content-encoding': 'gzip' }, body: 'x' },
    '400 model_unreadable',
  ],
  ['fallbacks', { body: chat({ model: 'small', models: ['big'] }) }, '400 model_unreadable'],
  ['no JSON', { path: 'small/completion', body: 'model=big' }, '400 model_unreadable'],
])(
  'where an engine has several models, a request that names %s is refused, but for keys of control',
  async (_, way, told) => {
    const gateway = await place();
    expect(await outcome(ask(gateway, way))).toBe(told);
    expect(await outcome(ask(gateway, { ...way, key: 'operator' }))).toBe(200);
  },
);

test('an engine of one model computes with that, whatever is named', async () => {
  const gateway = await place({
    shape: oneModel,
    change: { quotas: { ...noQuotas, models: { small: { rpm: 1 } } } },
  });
  expect(await outcome(ask(gateway, { body: chat({ model: 'big' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: chat({ model: 'anything' }) }))).toBe('429 rate_limit_exceeded');
});

test('one server behind two deployments has the models of both', async () => {
  const upstream = await engine((turn) => turn.json(200, {}));
  const shapes = [
    { url: upstream.url, deployment: 'd', model: 'llama:8b' },
    { url: upstream.url, deployment: 'e', model: 'llama:70b' },
  ];
  const gateway = await front(
    configFor(shapes, {
      keys,
      routes: [route('small'), route('big', 'e')],
      quotas: { ...noQuotas, models: { big: { rpm: 1 } } },
    }),
  );
  expect(await outcome(ask(gateway, { body: chat({ model: 'llama:8b' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: chat({ model: 'llama:70b' }) }))).toBe(200);
  expect(await outcome(ask(gateway, { body: chat({ model: 'llama:70b' }) }))).toBe('429 rate_limit_exceeded');
  expect(await outcome(ask(gateway, { body: chat({ model: 'llama:405b' }) }))).toBe('403 model_not_allowed');
});

test('where requests want no key, limits of models hold below /upstream too; without them all is open', async () => {
  const limited = await place({ change: { anonymous: true } });
  expect(await outcome(ask(limited, { key: null, body: chat({ model: 'big' }) }))).toBe(200);
  expect(await outcome(ask(limited, { key: null, body: chat({ model: 'big' }) }))).toBe(
    '429 rate_limit_exceeded',
  );
  expect(await outcome(ask(limited, { key: null, body: chat({ model: 'BIG' }) }))).toBe(
    '403 model_not_allowed',
  );
  const open = await place({ change: { anonymous: true, quotas: noQuotas } });
  expect(await outcome(ask(open, { key: null, body: chat({ model: 'other' }) }))).toBe(200);
  expect(await outcome(ask(open, { key: null, path: 'small/slots', body: 'bytes' }))).toBe(200);
});

test.each([true, false])(
  'with a key of the operator, nobody has a server elsewhere compute with what no route offers (keys wanted: %s)',
  async (keyed) => {
    const keyFile = join(tmpdir(), `berth-lent-model-${process.pid}`);
    await writeFile(keyFile, 'lent');
    onTestFinished(() => rm(keyFile, { force: true }));
    const shape = { keyFile, lentKey: true as const, model: 'cheap-1' };
    const gateway = await place({
      shape,
      change: { anonymous: !keyed, quotas: noQuotas, routes: [route('small')] },
    });
    expect(await outcome(ask(gateway, { body: chat({ model: 'cheap-1' }) }))).toBe(200);
    expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe(200);
    expect(await outcome(ask(gateway, { body: chat({ model: 'dear-9' }) }))).toBe('403 model_not_allowed');
    expect(await outcome(ask(gateway, { key: 'operator', body: chat({ model: 'dear-9' }) }))).toBe(200);
  },
);

test('what has waited while a reload put an engine of several models in the place of its own is judged anew', async () => {
  const held: Turn[] = [];
  const near = await engine((turn) => void held.push(turn));
  const far = await engine((turn) => turn.json(200, {}));
  function config(shape: UpstreamShape): GatewayConfig {
    return configFor([{ slots: 1, ...shape }], { keys, routes: [route('small'), route('big')] });
  }
  const gateway = await front(config({ url: near.url, ...oneModel }));
  const first = ask(gateway, { body: chat({ model: 'any' }) });
  await until('one is served', () => held.length === 1);
  const waiting = ['any', 'small', 'big'].map((model) => outcome(ask(gateway, { body: chat({ model }) })));
  await until('the others wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 3);
  await gateway.reload(config({ url: far.url }));
  held[0]?.json(200, {});
  expect(await Promise.all(waiting)).toEqual([
    '403 model_not_allowed',
    200,
    // It was held to the limits of the other one.
    '503 no_healthy_instance',
  ]);
  expect((await first).status).toBe(200);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

test('a fallback whose engine has no model of that name changes nothing of what is told', async () => {
  const far = await engine((turn) => turn.json(200, {}));
  const shapes = [
    { url: 'http://127.0.0.1:1', model: 'llama:8b', ...oneModel },
    { url: far.url, deployment: 'e' },
  ];
  const fallback = { on: ['unreachable' as const], to: ['far'] };
  const gateway = await front(
    configFor(shapes, { keys, routes: [{ ...route('small'), fallback }, route('far', 'e')] }),
  );
  expect(await outcome(ask(gateway, { body: chat({ model: 'llama:8b' }) }))).toBe('503 no_healthy_instance');
  expect(far.seen).toEqual([]);
  expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe(200);
  await far.stop();
  expect(await outcome(ask(gateway, { body: chat({ model: 'small' }) }))).toBe('503 no_healthy_instance');
  const usage = (await gateway.control({ do: 'usage' })) as { uses: { model: string; requests: number }[] };
  // The one that the fallback served.
  expect(usage.uses.filter(({ model }) => model === 'far').map(({ requests }) => requests)).toEqual([1]);
});

test('a refusal names the model and what helps', async () => {
  const gateway = await place();
  const refused = await errorOf(await ask(gateway, { body: chat({ model: 'other' }) }));
  expect(refused).toMatchObject({
    type: 'permission_error',
    param: 'model',
    message: expect.stringMatching(/"other".*\/v1\/models/),
  });
});
