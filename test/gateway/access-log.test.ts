import { mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AccessRecord } from '../../src/domain/access-record.ts';
import { unobserved } from '../../src/domain/observe-config.ts';
import type { ObserveConfig } from '../../src/domain/observe-config.ts';
import { chatEvent, usage, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, dial, engine, front, post, postChat, sha256, start, until } from './harness.ts';

async function logIn(
  change: Partial<NonNullable<ObserveConfig['accessLog']>> = {},
): Promise<{ folder: string; path: string; observe: ObserveConfig }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-access-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'access.log');
  const accessLog = { path, format: 'json' as const, maxBytes: 1024 * 1024, keep: 2, ...change };
  return { folder, path, observe: { ...unobserved, accessLog } };
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function records(path: string, count: number): Promise<AccessRecord[]> {
  await until(`${count} requests are in the log`, async () => (await linesOf(path)).length >= count);
  return (await linesOf(path)).map((line) => AccessRecord.parse(JSON.parse(line)));
}

test('a line tells who asked what, where it went, how it ended and what it took, and no word of the talk', async () => {
  const log = await logIn();
  const { gateway } = await start(wellBehaved, {
    observe: log.observe,
    anonymous: false,
    keys: [{ id: 'laptop', name: 'laptop', sha256: sha256('sk-secret-1') }],
  });
  const headers = { authorization: 'Bearer sk-secret-1', 'x-request-id': 'r-1' };
  await (
    await postChat(
      gateway.url,
      { stream: true, messages: [{ role: 'user', content: 'MY PROMPT' }] },
      { headers },
    )
  ).text();
  const [record] = await records(log.path, 1);
  expect(record).toMatchObject({
    id: 'r-1',
    key: 'laptop',
    endpoint: '/v1/chat/completions',
    model: 'm',
    deployment: 'd',
    instance: 'u0',
    stream: true,
    status: 200,
    outcome: 'done',
    code: null,
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    tokenSource: 'engine',
    retries: 0,
  });
  expect(record?.durationMs).toBeGreaterThanOrEqual(record?.ttftMs ?? Infinity);
  expect(Math.abs(Date.parse(record?.time ?? '') - Date.now())).toBeLessThan(60_000);
  const text = await readFile(log.path, 'utf8');
  for (const secret of ['MY PROMPT', 'Hello', 'sk-secret-1']) expect(text).not.toContain(secret);
});

test('a key that a client puts into the wrong place is in no line', async () => {
  const log = await logIn();
  const { gateway, upstream } = await start(wellBehaved, {
    observe: log.observe,
    keys: [{ id: 'laptop', name: 'laptop', sha256: sha256('sk-secret-1') }],
  });
  const headers = { authorization: 'Bearer sk-secret-1', 'x-request-id': 'sk-secret-1' };
  await (await postChat(gateway.url, {}, { headers })).text();
  await (await postChat(gateway.url, { model: 'sk-secret-1' }, { headers })).text();
  expect((await records(log.path, 2)).map(({ status }) => status)).toEqual([200, 404]);
  expect(await readFile(log.path, 'utf8')).not.toContain('sk-secret-1');
  expect(JSON.stringify(upstream.seen[0]?.headers)).not.toContain('sk-secret-1');
});

test('refusals, clients that leave, streams that break and retries are told apart', async () => {
  const log = await logIn();
  const broken = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('half'));
    turn.reset();
  });
  const silent = await engine(() => {});
  const gateway = await front(
    configFor([{ url: broken.url }, { url: silent.url, deployment: 's', id: 's0' }], {
      observe: log.observe,
      routes: [
        { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
        { name: 's', to: [{ deployment: 's', weight: 1 }], aliasOf: null },
      ],
    }),
  );
  await (await postChat(gateway.url, { model: 'unknown' })).text();
  await (await postChat(gateway.url, { stream: true })).text();
  const body = JSON.stringify({ model: 's', messages: [] });
  const wire = await dial(gateway.port, post('/v1/chat/completions', body));
  await until('the engine has it', () => silent.seen.length === 1);
  wire.socket.destroy();
  const found = await records(log.path, 3);
  expect(found.map(({ outcome, status, code }) => [outcome, status, code])).toEqual([
    ['refused', 404, 'model_not_found'],
    ['cut', 502, 'upstream_failed'],
    ['client-gone', 499, null],
  ]);
  expect(found[1]).toMatchObject({ outputTokens: 1, tokenSource: 'estimate' });
  expect(found[1]?.inputTokens).toBe(Math.ceil((found[1]?.bytesIn ?? 0) / 4));
});

test('a text line holds the same, and a name of the client cannot make two of it', async () => {
  const log = await logIn({ format: 'text' });
  const { gateway } = await start(wellBehaved, { observe: log.observe });
  await (await postChat(gateway.url)).text();
  await (await postChat(gateway.url, { model: 'a\nb c' })).text();
  await until('both are there', async () => (await linesOf(log.path)).length === 2);
  const [good = '', bad = ''] = await linesOf(log.path);
  expect(good).toMatch(
    / anonymous \/v1\/chat\/completions m@u0 200 done queue=\S+ ttft=\S+ total=\S+ in=7 out=3 retries=0$/,
  );
  expect(bad.split(' ').length).toBe(good.split(' ').length);
});

test('who was refused before a model was looked for is in the log with the address, and so is who listed the models', async () => {
  const log = await logIn();
  const { gateway } = await start(wellBehaved, {
    observe: log.observe,
    keys: [{ id: 'laptop', name: 'laptop', sha256: sha256('sk-secret-1') }],
  });
  const headers = { authorization: 'Bearer sk-secret-1' };
  async function ask(path: string, init: RequestInit = {}): Promise<void> {
    await (await fetch(gateway.url + path, init)).text();
  }
  await (await postChat(gateway.url)).text();
  await ask('/v1/models', { headers: { authorization: 'Bearer sk-wrong-1' } });
  await ask('/sk-secret-1?api_key=sk-secret-1', { headers });
  await ask('/unload/sk-secret-1', { method: 'POST', headers });
  await ask('/v1/responses/sk-secret-1', { method: 'PUT', headers });
  await ask('/v1/models/m', { headers });
  for (const path of ['/metrics', '/healthz', '/health', '/readyz']) await ask(path);
  const wire = await dial(gateway.port, 'no HTTP\r\n\r\n');
  await wire.closed;
  const found = await records(log.path, 7);
  expect(
    found.map(({ endpoint, status, code, key, client }) => [endpoint, status, code, key, client]),
  ).toEqual([
    ['/v1/chat/completions', 401, 'api_key_missing', '', '127.0.0.1'],
    ['/v1/models', 401, 'invalid_api_key', '', '127.0.0.1'],
    ['', 404, 'path_unknown', 'laptop', '127.0.0.1'],
    ['/unload', 403, 'control_key_needed', 'laptop', '127.0.0.1'],
    ['/v1/responses', 405, 'method_not_allowed', 'laptop', '127.0.0.1'],
    ['/v1/models', 200, null, 'laptop', '127.0.0.1'],
    ['', 400, expect.any(String), '', undefined],
  ]);
  await ask('/v1/models', { headers });
  expect((await records(log.path, 8)).length).toBe(8);
  expect(await readFile(log.path, 'utf8')).not.toContain('sk-');
});

test('a flood of refusals leaves room in the log for all else, and says how many lines were left out', async () => {
  const log = await logIn();
  const { gateway } = await start(wellBehaved, {
    observe: log.observe,
    keys: [{ id: 'laptop', name: 'laptop', sha256: sha256('k') }],
  });
  async function flood(): Promise<void> {
    await Promise.all(Array.from({ length: 100 }, async () => (await postChat(gateway.url)).text()));
  }
  for (let i = 0; i < 5; i += 1) await flood();
  const headers = { authorization: 'Bearer k', 'x-request-id': 'served' };
  await (await postChat(gateway.url, {}, { headers })).text();
  await (await fetch(`${gateway.url}/v1/models`, { headers })).text();
  await until(
    'both are there',
    async () => (await linesOf(log.path)).filter((line) => line.includes('"served"')).length === 2,
  );
  async function refusals(): Promise<{ written: number; leftOut: number }> {
    const all = (await records(log.path, 1)).filter(({ status }) => status === 401);
    return { written: all.length, leftOut: all.reduce((sum, one) => sum + (one.leftOut ?? 0), 0) };
  }
  const { written } = await refusals();
  expect(written).toBeGreaterThanOrEqual(60);
  expect(written).toBeLessThan(200);
  await until('all are told of', async () => {
    await (await postChat(gateway.url)).text();
    const told = await refusals();
    return told.written + told.leftOut > 500;
  });
  expect(await gateway.metric('berth_gateway_requests_total', 'status="401"')).toBeGreaterThan(500);
});

test('a log that grows too large is begun anew, and so many old ones are kept', async () => {
  const log = await logIn({ maxBytes: 1, keep: 2 });
  const { gateway } = await start(wellBehaved, { observe: log.observe });
  for (let turn = 1; turn <= 4; turn += 1) {
    await (await postChat(gateway.url, {}, { headers: { 'x-request-id': `r${turn}` } })).text();
    await until('it is written away', async () =>
      (await readFile(`${log.path}.1`, 'utf8').catch(() => '')).includes(`"r${turn}"`),
    );
  }
  expect((await readdir(log.folder)).toSorted()).toEqual(['access.log.1', 'access.log.2']);
});

test('a log that somebody moved away is begun anew, and what is waiting at the end is written', async () => {
  const log = await logIn();
  const { gateway } = await start(wellBehaved, { observe: log.observe });
  await (await postChat(gateway.url)).text();
  await records(log.path, 1);
  await rename(log.path, join(log.folder, 'moved'));
  await (await postChat(gateway.url)).text();
  await gateway.close();
  expect((await linesOf(log.path)).length).toBe(1);
});

test('a reload turns the log on and off', async () => {
  const log = await logIn();
  const upstream = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: upstream.url }]));
  await (await postChat(gateway.url)).text();
  await gateway.reload(configFor([{ url: upstream.url }], { observe: log.observe }));
  await (await postChat(gateway.url, {}, { headers: { 'x-request-id': 'second' } })).text();
  expect((await records(log.path, 1)).map(({ id }) => id)).toEqual(['second']);
});

test('what a client takes to send its body is no wait in line, and a wait that ended in vain is one', async () => {
  const log = await logIn();
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    observe: log.observe,
    upstream: { slots: 1 },
    limits: { queueMs: 100 },
  });
  const request = post('/v1/chat/completions', chat());
  const wire = await dial(gateway.port, request.slice(0, -10));
  const end = performance.now() + 200;
  await until('a while has gone by', () => performance.now() > end);
  wire.socket.write(request.slice(-10));
  await until('it is served', () => held.length === 1);
  expect((await postChat(gateway.url)).status).toBe(504);
  held[0]?.json(200, {});
  const [refused, served] = await records(log.path, 2);
  expect(served).toMatchObject({ status: 200, queueMs: 0 });
  expect(served?.durationMs).toBeGreaterThanOrEqual(200);
  expect(refused?.queueMs).toBeGreaterThanOrEqual(99);
  wire.socket.destroy();
});
