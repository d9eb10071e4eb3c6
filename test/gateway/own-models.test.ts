import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FakeUpstream, Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

const master = { authorization: 'Bearer master' };
const sha256 = createHash('sha256').update('master').digest('hex');

interface Router {
  readonly gateway: RunningGateway;
  readonly server: FakeUpstream;
  readonly states: Record<string, string>;
  readonly held: Turn[];
  /** Requests for the list are answered with 500 as long as it is set. */
  readonly trouble: { list: boolean };
  /** Awaited before an unload is answered. */
  readonly unloads: { wait: Promise<void> };
}

/** A server that loads its models itself and tells how far they are, with requests that end when the test says so. */
async function router(states: Record<string, string>): Promise<Router> {
  const held: Turn[] = [];
  const trouble = { list: false };
  const unloads = { wait: Promise.resolve() };
  const server = await engine((turn) => {
    const { path, body } = turn.request;
    if (path === '/v1/models' && trouble.list) return turn.json(500, {});
    if (path === '/v1/models')
      return turn.json(200, {
        data: Object.entries(states).map(([id, value]) => ({ id, status: { value } })),
      });
    if (path !== '/models/unload') return void held.push(turn);
    states[JSON.parse(body).model] = 'unloaded';
    void unloads.wait.then(() => turn.json(200, { success: true }));
  });
  const gateway = await front(
    configFor([{ id: 'r', deployment: 'r', url: server.url, modelsPath: '/v1/models' }], {
      routes: ['r', ...Object.keys(states)].map((name) => ({
        name,
        to: [{ deployment: 'r', weight: 1 }],
        aliasOf: null,
      })),
      anonymous: true,
      keys: [{ id: 'master', name: 'master', sha256, control: true }],
    }),
  );
  return { gateway, server, states, held, trouble, unloads };
}

async function listed(gateway: RunningGateway): Promise<Record<string, string>> {
  const list = (await (await fetch(`${gateway.url}/v1/models`)).json()) as {
    data: { id: string; status: string }[];
  };
  return Object.fromEntries(list.data.map(({ id, status }) => [id, status]));
}

async function running(gateway: RunningGateway): Promise<unknown> {
  const told = (await (await fetch(`${gateway.url}/running`, { headers: master })).json()) as {
    running: { model: string; state: string }[];
  };
  return told.running.map(({ model, state }) => [model, state]);
}

function unload(gateway: RunningGateway, path: string): Promise<Response> {
  return fetch(`${gateway.url}/unload${path}`, { method: 'POST', headers: master });
}

test('models of a server that loads them itself are listed as it tells, and follow it', async () => {
  const { gateway, states } = await router({
    a: 'loaded',
    b: 'loading',
    c: 'unloaded',
    d: 'sleeping',
    e: '?',
  });
  await until('its list was read', async () => (await listed(gateway))['c'] === 'unloaded');
  expect(await listed(gateway)).toEqual({
    r: 'ready',
    a: 'ready',
    b: 'loading',
    c: 'unloaded',
    d: 'unloaded',
    e: 'ready',
  });
  expect(await running(gateway)).toEqual([
    ['a', 'ready'],
    ['b', 'loading'],
  ]);
  states['c'] = 'loaded';
  await until('it is told', async () => (await listed(gateway))['c'] === 'ready');
});

test('/unload has such a server unload one model or all, and cuts no request', async () => {
  const { gateway, server, states, held } = await router({ a: 'loaded', b: 'loaded', c: 'unloaded' });
  await until('its list was read', async () => (await listed(gateway))['c'] === 'unloaded');
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it serves', () => held.length === 1);
  const busy = await unload(gateway, '/a');
  expect([busy.status, await errorOf(busy)]).toEqual([
    409,
    expect.objectContaining({ code: 'model_busy', message: expect.stringContaining('1 request') }),
  ]);
  expect(await (await unload(gateway, '')).json()).toEqual({ unloading: [] });
  held[0]?.json(200, {});
  expect((await reply).status).toBe(200);
  expect(await (await unload(gateway, '/a')).json()).toEqual({ unloading: ['a'] });
  expect(states).toEqual({ a: 'unloaded', b: 'loaded', c: 'unloaded' });
  await until('it is told', async () => (await listed(gateway))['a'] === 'unloaded');
  expect(await (await unload(gateway, '/c')).json()).toEqual({ unloading: [] });
  expect(await (await unload(gateway, '')).json()).toEqual({ unloading: ['b'] });
  expect(server.seen.filter(({ path }) => path === '/models/unload')).toHaveLength(2);
});

test('a list that tells no states leaves models as ready as their server', async () => {
  const server = await engine((turn) => turn.json(200, { data: [{ id: 'a' }] }));
  const gateway = await front(
    configFor([{ id: 'r', deployment: 'r', url: server.url, modelsPath: '/v1/models' }], {
      routes: [{ name: 'a', to: [{ deployment: 'r', weight: 1 }], aliasOf: null }],
      anonymous: true,
      keys: [{ id: 'master', name: 'master', sha256, control: true }],
    }),
  );
  await until('it was asked twice', () => server.seen.length > 1);
  expect(await listed(gateway)).toEqual({ a: 'ready' });
  expect(await running(gateway)).toEqual([['r', 'ready']]);
});

test('states outlast an answer that fails, and not a server that goes on failing', async () => {
  const { gateway, server, trouble } = await router({ a: 'unloaded' });
  await until('its list was read', async () => (await listed(gateway))['a'] === 'unloaded');
  trouble.list = true;
  const asked = server.seen.length;
  await until('it has failed twice', () => server.seen.length >= asked + 2);
  expect(await listed(gateway)).toEqual({ r: 'ready', a: 'unloaded' });
  await until('it is forgotten', async () => (await listed(gateway))['a'] === 'ready');
  expect(server.seen.length).toBeGreaterThanOrEqual(asked + 3);
  trouble.list = false;
  await until('it is told again', async () => (await listed(gateway))['a'] === 'unloaded');
});

test('a request that comes during an unload waits until it is done, and is served then', async () => {
  const { gateway, server, held, unloads } = await router({ a: 'loaded' });
  await until('its list was read', () => listedAsOwn(gateway));
  const { promise, resolve } = Promise.withResolvers<void>();
  unloads.wait = promise;
  const unloading = unload(gateway, '/a');
  await until('it unloads', () => server.seen.some(({ path }) => path === '/models/unload'));
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(held).toHaveLength(0);
  const second = await unload(gateway, '/a');
  expect([second.status, (await errorOf(second)).message]).toEqual([
    409,
    'The server of a unloads a model at this moment. Try again.',
  ]);
  resolve();
  expect(await (await unloading).json()).toEqual({ unloading: ['a'] });
  await until('it serves', () => held.length === 1);
  held[0]?.json(200, {});
  expect((await reply).status).toBe(200);
});

async function listedAsOwn(gateway: RunningGateway): Promise<boolean> {
  return JSON.stringify(await running(gateway)) === '[["a","ready"]]';
}

test('/unload of a name that the fleet has itself never reaches a model of that name in a server', async () => {
  const { gateway, server } = await twoOfOneName();
  await until('its list was read', async () => JSON.stringify(await running(gateway)).includes('"a"'));
  const reply = await unload(gateway, '/twin');
  expect([reply.status, (await errorOf(reply)).code]).toEqual([400, 'not_on_demand']);
  expect(server.seen.some(({ path }) => path === '/models/unload')).toBe(false);
  // By an alias as by its name.
  expect(await (await unload(gateway, '/also-a')).json()).toEqual({ unloading: ['a'] });
});

/** A server that has loaded "a" and "twin" itself, and a deployment "twin" beside it. */
async function twoOfOneName(): Promise<{ gateway: RunningGateway; server: FakeUpstream }> {
  const data = ['a', 'twin'].map((id) => ({ id, status: { value: 'loaded' } }));
  const server = await engine(({ request, json }) =>
    json(200, request.path === '/models/unload' ? { success: true } : { data }),
  );
  const other = await engine((turn) => turn.json(200, {}));
  const gateway = await front(
    configFor(
      [
        { id: 'r', deployment: 'r', url: server.url, modelsPath: '/v1/models' },
        { id: 'twin', deployment: 'twin', url: other.url },
      ],
      {
        routes: [
          { name: 'a', to: [{ deployment: 'r', weight: 1 }], aliasOf: null },
          { name: 'also-a', to: [{ deployment: 'r', weight: 1 }], aliasOf: 'a' },
          { name: 'twin', to: [{ deployment: 'twin', weight: 1 }], aliasOf: null },
        ],
        anonymous: true,
        keys: [{ id: 'master', name: 'master', sha256, control: true }],
      },
    ),
  );
  return { gateway, server };
}
