import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import {
  chat,
  configFor,
  dial,
  engine,
  errorOf,
  front,
  logFileWith,
  postChat,
  start,
  until,
} from './harness.ts';
import { stage } from './on-demand-stage.ts';

const master = { authorization: 'Bearer master' };

/** No key is asked for, but for what only a master key may. */
const keys = {
  anonymous: true,
  keys: [
    {
      id: 'master',
      name: 'master',
      sha256: createHash('sha256').update('master').digest('hex'),
      control: true,
    },
  ],
};

test('/running tells what is loaded and how far, and /unload ends it once its requests have ended', async () => {
  const held: Turn[] = [];
  const { gateway, asked, loaded, unloaded } = await stage(
    { a: { ttlMs: 60_000 } },
    { config: keys, script: (turn) => void held.push(turn) },
  );
  async function running(): Promise<unknown> {
    return await (await fetch(`${gateway.url}/running`, { headers: master })).json();
  }
  expect(await running()).toEqual({ running: [] });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.4 });
  expect(await running()).toEqual({
    running: [
      {
        model: 'a',
        names: ['a'],
        state: 'loading',
        progress: 0.4,
        inflight: 0,
        waiting: 1,
        ttl: 60,
        proxy: [],
      },
    ],
  });
  await loaded('a');
  await until('it serves', () => held.length === 1);
  const told = await fetch(`${gateway.url}/unload/a`, { method: 'POST', headers: master });
  expect(await told.json()).toEqual({ unloading: ['a'] });
  expect(asked).toEqual(['load a']);
  held[0]?.json(200, {});
  expect((await reply).status).toBe(200);
  await until('it ends', () => asked.includes('unload a'));
  await unloaded('a');
  expect(await running()).toEqual({ running: [] });
});

test('/running tells by which names each model is asked for', async () => {
  const to = [{ deployment: 'big-7b', weight: 1 }];
  const split = [...to, { deployment: 'a', weight: 1 }];
  const { gateway, loaded } = await stage(
    { 'big-7b': {}, a: {} },
    {
      config: {
        ...keys,
        routes: [
          { name: 'Org/Big:7B', to, aliasOf: null },
          { name: 'gpt-4o', to, aliasOf: 'Org/Big:7B' },
          { name: 'any', to: split, aliasOf: null },
          { name: 'a', to: [{ deployment: 'a', weight: 1 }], aliasOf: null },
        ],
      },
    },
  );
  const reply = postChat(gateway.url, { model: 'gpt-4o' });
  await loaded('big-7b');
  expect((await reply).status).toBe(200);
  const { running } = (await (await fetch(`${gateway.url}/running`)).json()) as { running: unknown[] };
  expect(running).toMatchObject([{ model: 'big-7b', names: ['Org/Big:7B', 'gpt-4o', 'any'] }]);
});

test('/unload during a load serves those who wait for it, and then unloads; a load that nobody waits for ends at once', async () => {
  const held: Turn[] = [];
  const { gateway, asked, loaded, unloaded } = await stage(
    { a: {} },
    { config: keys, script: (turn) => void held.push(turn) },
  );
  async function unload(): Promise<void> {
    const told = await fetch(`${gateway.url}/unload/a`, { method: 'POST', headers: master });
    expect(await told.json()).toEqual({ unloading: ['a'] });
  }
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await unload();
  expect(asked).toEqual(['load a']);
  await loaded('a');
  await until('it serves', () => held.length === 1);
  const late = postChat(gateway.url, { model: 'a' });
  await until('another waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  held[0]?.json(200, {});
  expect((await reply).status).toBe(200);
  await until('it is unloaded', () => asked.length === 2);
  await unloaded('a');
  await until('it is loaded anew for who came late', () => asked.length === 3);
  await loaded('a');
  await until('that one is served', () => held.length === 2);
  held[1]?.json(200, {});
  expect((await late).status).toBe(200);
  await unload();
  await until('it is unloaded at once', () => asked.length === 4);
  await unloaded('a');
  const leaver = new AbortController();
  const left = postChat(gateway.url, { model: 'a' }, { signal: leaver.signal });
  await until('it is loaded once more', () => asked.length === 5);
  leaver.abort();
  await expect(left).rejects.toThrow('aborted');
  await until('nobody waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 0);
  await unload();
  await until('the load is given up', () => asked.length === 6);
  expect(asked.map((what) => what.split(' ')[0])).toEqual([
    'load',
    'unload',
    'load',
    'unload',
    'load',
    'unload',
  ]);
});

test('/running has no model that could not be started', async () => {
  const { gateway, asked, failed } = await stage({ a: {} }, { config: keys });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await failed('a', 'no memory');
  expect((await reply).status).toBe(503);
  const running = await fetch(`${gateway.url}/running`, { headers: master });
  expect(await running.json()).toEqual({ running: [] });
});

test('all at once are unloaded without a name, and names that are not on demand are refused', async () => {
  const { gateway, asked, loaded } = await stage({ a: {} }, { config: keys });
  const reply = postChat(gateway.url, { model: 'a' });
  await until('it is asked for', () => asked.length === 1);
  await loaded('a');
  expect((await reply).status).toBe(200);
  const unknown = await fetch(`${gateway.url}/unload/none`, { method: 'POST', headers: master });
  expect([unknown.status, (await errorOf(unknown)).code]).toEqual([404, 'model_not_found']);
  expect((await fetch(`${gateway.url}/unload`, { headers: master })).status).toBe(200);
  await until('it ends', () => asked.includes('unload a'));
});

test('these paths want a key for control, all but /running even where requests want none', async () => {
  const { gateway } = await stage({ a: {} }, { config: keys });
  for (const path of ['/unload', '/logs/a', '/logs/stream/a']) {
    const bare = await fetch(gateway.url + path);
    expect([bare.status, (await errorOf(bare)).message]).toEqual([401, expect.stringContaining('--control')]);
    expect((await fetch(gateway.url + path, { headers: { authorization: 'Bearer other' } })).status).toBe(
      401,
    );
  }
  const open = await fetch(`${gateway.url}/running`);
  expect([open.status, await open.json()]).toEqual([200, { running: [] }]);
  const page = await fetch(`${gateway.url}/running`, { headers: { origin: 'https://page.example' } });
  expect([page.status, (await errorOf(page)).code]).toEqual([403, 'origin_not_allowed']);
  const closed = await stage({ a: {} }, { config: { ...keys, anonymous: false } });
  const bare = await fetch(`${closed.gateway.url}/running`);
  expect([bare.status, (await errorOf(bare)).message]).toEqual([401, expect.stringContaining('--control')]);
  expect((await fetch(`${closed.gateway.url}/running`, { headers: master })).status).toBe(200);
  expect((await fetch(`${gateway.url}/running`, { method: 'DELETE', headers: master })).status).toBe(405);
});

test('the log of a model is shown, and goes on as its engine writes', async () => {
  const file = await logFileWith('first line\n');
  const { gateway } = await stage({ a: { logFiles: [file] } }, { config: keys });
  expect(await (await fetch(`${gateway.url}/logs/a`, { headers: master })).text()).toBe('first line\n');
  const leaving = new AbortController();
  const stream = await fetch(`${gateway.url}/logs/stream/a`, { headers: master, signal: leaving.signal });
  const lines: string[] = [];
  const read = (async () => {
    for await (const part of stream.body ?? []) lines.push(Buffer.from(part as Uint8Array).toString());
  })().catch(() => {});
  await until('the first line is there', () => lines.join('').includes('first line'));
  await appendFile(file, 'second line\n');
  await until('the second follows', () => lines.join('').endsWith('second line\n'));
  leaving.abort();
  await read;
});

test('the log of a model that always runs is shown as well, and one that lies elsewhere is said to', async () => {
  const logFile = await logFileWith('it has begun\n');
  const upstream = await engine(wellBehaved);
  const gateway = await front(
    configFor(
      [
        { url: upstream.url, logFile },
        { url: upstream.url, deployment: 'far' },
      ],
      keys,
    ),
  );
  expect(await (await fetch(`${gateway.url}/logs/m`, { headers: master })).text()).toBe('it has begun\n');
  const far = await fetch(`${gateway.url}/logs/far`, { headers: master });
  expect([far.status, (await errorOf(far)).code]).toEqual([400, 'log_elsewhere']);
  const none = await fetch(`${gateway.url}/logs/none`, { headers: master });
  expect([none.status, (await errorOf(none)).code]).toEqual([404, 'model_not_found']);
});

test('/health says that the gateway is well, and a path that is not there names those that are', async () => {
  const { gateway } = await stage({ a: {} }, { config: keys });
  const health = await fetch(`${gateway.url}/health`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  const missing = await fetch(`${gateway.url}/ui`);
  expect(missing.status).toBe(404);
  const { message } = await errorOf(missing);
  for (const path of ['/health', '/running', '/unload', '/logs/MODEL', '/upstream/MODEL/PATH'])
    expect(message).toContain(path);
});

test('/upstream passes any method, path and body to the engine as they are, and streams its reply', async () => {
  const upstream = await engine((turn) => turn.json(200, { path: turn.request.path }));
  const gateway = await front(
    configFor([{ url: upstream.url, model: 'engine-name', paths: ['/v1/chat/completions'] }], {
      routes: [{ name: 'org/m', to: [{ deployment: 'd', weight: 1 }], aliasOf: null }],
    }),
  );
  const body = '{"model":"whatever",  "x":1e999,"model":"twice"}';
  const put = await fetch(`${gateway.url}/upstream/org/m/slots/0?action=save`, { method: 'PUT', body });
  expect(await put.json()).toEqual({ path: '/slots/0?action=save' });
  expect(upstream.seen[0]).toMatchObject({ method: 'PUT', body });
  const got = await fetch(`${gateway.url}/upstream/org%2Fm/props`);
  expect(await got.json()).toEqual({ path: '/props' });
  expect(upstream.seen[1]).toMatchObject({ method: 'GET', body: '' });
  expect((await fetch(`${gateway.url}/upstream/other/props`)).status).toBe(404);
  const bare = await fetch(`${gateway.url}/upstream/org/m?a=1`, { redirect: 'manual' });
  expect([bare.status, bare.headers.get('location')]).toEqual([307, './m/?a=1']);
  expect((await fetch(`${gateway.url}/upstream/org/m?a=1`)).url).toBe(`${gateway.url}/upstream/org/m/?a=1`);
});

test('/upstream gives the slot back with the head of a reply to HEAD', async () => {
  const upstream = await engine((turn) => turn.json(200, { path: turn.request.path }));
  const gateway = await front(configFor([{ url: upstream.url, slots: 1 }]));
  const head = await fetch(`${gateway.url}/upstream/m/props`, { method: 'HEAD' });
  expect(head.status).toBe(200);
  const next = await fetch(`${gateway.url}/upstream/m/slots`);
  expect(await next.json()).toEqual({ path: '/slots' });
});

test.each(['..', '%2e%2E', '..%2fadmin', '..%5Cadmin', '.'])(
  '/upstream does not lead out of the path of the engine by "%s"',
  async (dots) => {
    const upstream = await engine(wellBehaved);
    const gateway = await front(configFor([{ url: `${upstream.url}/team` }]));
    const wire = await dial(
      gateway.port,
      `GET /upstream/m/${dots}/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    await wire.closed;
    expect(wire.text()).toMatch(/^HTTP\/1\.1 400 .*"code":"path_invalid"/s);
    expect(upstream.seen).toEqual([]);
  },
);

test('/upstream is refused to a key that is bound to models', async () => {
  const upstream = await engine(wellBehaved);
  const sha256 = createHash('sha256').update('narrow').digest('hex');
  const to = [{ deployment: 'd', weight: 1 }];
  const gateway = await front(
    configFor([{ url: upstream.url }], {
      anonymous: false,
      routes: ['one', 'two'].map((name) => ({ name, to, aliasOf: null })),
      keys: [{ id: 'narrow', name: 'narrow', sha256, models: ['one'] }],
    }),
  );
  const headers = { authorization: 'Bearer narrow' };
  const refused = await fetch(`${gateway.url}/upstream/one/props`, { headers });
  expect([refused.status, (await errorOf(refused)).code]).toEqual([403, 'endpoint_not_allowed']);
  expect((await postChat(gateway.url, { model: 'one' }, { headers })).status).toBe(200);
});

test('/upstream computes nothing for whoever has a budget in money, since an engine of several models is asked there at no known price', async () => {
  const upstream = await engine(wellBehaved);
  const usd = { budget: { month: { usd: 5 } } };
  const tokens = { budget: { month: { tokens: 5000 } } };
  const keys = [
    { id: 'money', limits: usd },
    { id: 'tokens', limits: tokens },
    { id: 'each' },
    { id: 'operator', control: true },
  ].map((key) => ({ ...key, name: key.id, sha256: createHash('sha256').update(key.id).digest('hex') }));
  const prices = { m: { input: 1, output: 1 } };
  const gateway = await front(configFor([{ url: upstream.url }], { keys, quotas: { ...noQuotas, prices } }));
  async function answers(): Promise<number[]> {
    const replies = keys.map(({ id }) =>
      fetch(`${gateway.url}/upstream/m/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${id}` },
        body: chat(),
      }),
    );
    return (await Promise.all(replies)).map(({ status }) => status);
  }
  expect(await answers()).toEqual([403, 200, 200, 200]);
  await gateway.reload(
    configFor([{ url: upstream.url }], { keys, quotas: { ...noQuotas, prices, eachKey: usd } }),
  );
  // What holds for each key holds beside a key's own budget of tokens.
  expect(await answers()).toEqual([403, 403, 403, 200]);
  // What is only read there costs nothing.
  const page = await fetch(`${gateway.url}/upstream/m/props`, { headers: { authorization: 'Bearer money' } });
  expect(page.status).toBe(200);
});

test('/upstream loads a model, and a stream through it keeps the model from being unloaded', async () => {
  const { gateway, asked, loaded, engines } = await stage({ a: {}, b: {} });
  engines['a']?.setScript((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    engines['a']?.setScript(wellBehaved);
    void finish.promise.then(() => turn.endChunks());
  });
  const finish = Promise.withResolvers<void>();
  const stream = fetch(`${gateway.url}/upstream/a/events`);
  await until('a is asked for', () => asked.length === 1);
  await loaded('a');
  const reply = await stream;
  const other = postChat(gateway.url, { model: 'b' }).catch(() => null);
  await until('b waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(asked).toEqual(['load a']);
  finish.resolve();
  expect(await reply.text()).toContain('begun');
  await until('a makes room', () => asked.includes('unload a'));
  await loaded('b');
  await other;
});

test('a redirect of an engine leads through the gateway, also behind a proxy with a prefix', async () => {
  const { gateway, upstream } = await start((turn) => {
    const { path } = turn.request;
    const places: Record<string, string> = {
      '/docs': '/docs/?a=1',
      '/a/b?q=/x/y': `${upstream.url}/c?d#e`,
      '/a/up': '..',
      '/colon': '/b:c',
      '/far': 'https://elsewhere.example/',
    };
    turn.json(307, {}, `Location: ${places[path] ?? `${upstream.url}/v1/chat/completions/`}\r\n`);
  });
  /** Where a client goes on that reaches the gateway below that prefix. */
  async function goesTo(prefix: string, path: string, init: RequestInit = {}): Promise<string> {
    const reply = await fetch(gateway.url + path, { redirect: 'manual', ...init });
    await reply.arrayBuffer();
    expect(reply.status).toBe(307);
    const to = new URL(reply.headers.get('location') ?? '', `http://front${prefix}${path}`);
    return to.host === 'front' ? to.href.slice('http://front'.length) : to.href;
  }
  const asked = { method: 'POST', body: chat(), headers: { 'content-type': 'application/json' } };
  for (const prefix of ['', '/llm', '/a/b']) {
    expect(await goesTo(prefix, '/upstream/m/docs')).toBe(`${prefix}/upstream/m/docs/?a=1`);
    expect(await goesTo(prefix, '/upstream/m/a/b?q=/x/y')).toBe(`${prefix}/upstream/m/c?d#e`);
    expect(await goesTo(prefix, '/upstream/m/a/up')).toBe(`${prefix}/upstream/m/`);
    expect(await goesTo(prefix, '/upstream/m/colon')).toBe(`${prefix}/upstream/m/b:c`);
    expect(await goesTo(prefix, '/upstream/m?a=/b', asked)).toBe(`${prefix}/upstream/m/v1/chat/completions/`);
    expect(await goesTo(prefix, '/upstream/m/far')).toBe('https://elsewhere.example/');
    expect(await goesTo(prefix, '/v1/chat/completions', asked)).toBe(`${prefix}/v1/chat/completions/`);
  }
});
