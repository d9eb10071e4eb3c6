import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import type { Script } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, sha256, start, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rules 6, 11 and 12 in the words of each API: whose path it is says in whose shape a fault is told. */

const keys = [{ id: 'laptop', name: 'laptop', sha256: sha256('right') }];
const message = '{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}';

function ask(
  gateway: RunningGateway,
  body: string,
  headers: Record<string, string> = {},
  path = '/v1/messages',
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    body,
    signal,
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
  });
}

/** Status and type of an error in Anthropic's shape; fails when it has another. */
async function fault(reply: Response): Promise<[status: number, type: string]> {
  const body = (await reply.json()) as Record<string, unknown>;
  expect(body).toEqual({
    type: 'error',
    error: { type: expect.any(String), message: expect.stringMatching(/\S/) },
    request_id: reply.headers.get('x-request-id'),
  });
  expect(reply.headers.get('x-berth-origin')).toBe('gateway');
  return [reply.status, (body['error'] as { type: string }).type];
}

test('the key may come as x-api-key, and stays with the gateway', async () => {
  const { upstream, gateway } = await start(wellBehaved, { keys });
  const headers = { 'x-api-key': 'right', 'anthropic-beta': 'tools-1' };
  expect((await ask(gateway, message, headers)).status).toBe(200);
  const chats = { ...headers, 'anthropic-version': '' };
  expect((await ask(gateway, message, chats, '/v1/chat/completions')).status).toBe(200);
  const seen = upstream.seen[0]?.headers ?? {};
  expect(seen).toMatchObject({ 'anthropic-version': '2023-06-01', 'anthropic-beta': 'tools-1' });
  expect(seen).not.toHaveProperty('x-api-key');
  expect(seen).not.toHaveProperty('authorization');
});

test("Anthropic's clients find the request's name where they look for it, in good replies and bad", async () => {
  const { gateway } = await start(wellBehaved);
  const headers = { 'x-request-id': 'mine-1' };
  for (const body of [message, '{'])
    expect((await ask(gateway, body, headers)).headers.get('request-id')).toBe('mine-1');
});

test('an engine that says it has no such thing is not asked again by its clients', async () => {
  const { gateway } = await start((turn) => turn.json(501, { error: { message: 'No tools.' } }));
  expect((await ask(gateway, message)).headers.get('x-should-retry')).toBe('false');
});

test("the engine's own key goes to it in both places", async () => {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(`${tmpdir()}/berth keys `);
  await writeFile(`${folder}/key`, 'engine-key\n');
  const upstream = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: upstream.url, keyFile: `${folder}/key` }], { keys }));
  await rm(folder, { recursive: true });
  await ask(gateway, message, { 'x-api-key': 'right' });
  expect(upstream.seen[0]?.headers).toMatchObject({
    authorization: 'Bearer engine-key',
    'x-api-key': 'engine-key',
  });
});

test("every refusal on Anthropic's paths has Anthropic's shape", async () => {
  const { gateway } = await start(wellBehaved, {
    keys,
    limits: { bodyBytes: 1000 },
    upstream: { paths: ['/v1/messages'] },
  });
  const key = { 'x-api-key': 'right' };
  expect(await fault(await ask(gateway, message))).toEqual([401, 'authentication_error']);
  expect(await fault(await ask(gateway, message, { 'x-api-key': 'wrong' }))).toEqual([
    401,
    'authentication_error',
  ]);
  expect(await fault(await ask(gateway, '{"model":"no"}', key))).toEqual([404, 'not_found_error']);
  expect(await fault(await ask(gateway, '{', key))).toEqual([400, 'invalid_request_error']);
  expect(await fault(await ask(gateway, '{}', key))).toEqual([400, 'invalid_request_error']);
  expect(await fault(await ask(gateway, ' '.repeat(2000), key))).toEqual([413, 'request_too_large']);
  expect(await fault(await ask(gateway, message, { ...key, 'content-encoding': 'gzip' }))).toEqual([
    415,
    'invalid_request_error',
  ]);
  const counted = '/v1/messages/count_tokens';
  expect(await fault(await ask(gateway, message, key, counted))).toEqual([501, 'api_error']);
  expect(await fault(await ask(gateway, message, key, '/v1/messages/batches'))).toEqual([501, 'api_error']);
  expect(await fault(await ask(gateway, message, key, '/v1/complete'))).toEqual([404, 'not_found_error']);
  const method = await fetch(`${gateway.url}/v1/messages`, { headers: key });
  expect(await fault(method)).toEqual([405, 'invalid_request_error']);
  const models = await fetch(`${gateway.url}/v1/models`, { headers: { 'anthropic-version': 'x' } });
  expect(await fault(models)).toEqual([401, 'authentication_error']);
});

test('a full queue and an engine that is away are told in that shape too', async () => {
  const { upstream, gateway } = await start((turn) => turn.closed, {
    upstream: { slots: 1 },
    limits: { queue: 1 },
  });
  const leave = new AbortController();
  const first = ask(gateway, message, {}, '/v1/messages', leave.signal).catch(() => null);
  await until('the slot is taken', () => upstream.seen.length === 1);
  const second = ask(gateway, message, {}, '/v1/messages', leave.signal).catch(() => null);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const full = await ask(gateway, message);
  expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await fault(full)).toEqual([429, 'rate_limit_error']);
  leave.abort();
  expect(await Promise.all([first, second])).toEqual([null, null]);
  await upstream.stop();
  await until(
    'nobody listens any more',
    async () => (await fault(await ask(gateway, message))).join() === '503,overloaded_error',
  );
});

test('a deadline is told in that shape too', async () => {
  const { upstream, gateway } = await start((turn) => turn.closed, {
    upstream: { slots: 1 },
    limits: { queueMs: 50 },
  });
  const leave = new AbortController();
  const first = ask(gateway, message, {}, '/v1/messages', leave.signal).catch(() => null);
  await until('the slot is taken', () => upstream.seen.length === 1);
  expect(await fault(await ask(gateway, message))).toEqual([504, 'timeout_error']);
  leave.abort();
  expect(await first).toBeNull();
});

const begun: Record<string, string> = {
  '/v1/messages':
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"e","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":0}}}\n\n',
  '/v1/responses':
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","usage":null}}\n\n',
  '/v1/chat/completions': 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
};

function diesAfter(text: string): Script {
  return (turn) => {
    turn.stream();
    turn.chunk(text);
    turn.reset();
  };
}

async function lastEvent(path: string): Promise<string> {
  const { gateway } = await start(diesAfter(begun[path] ?? ''));
  const reply = await ask(gateway, '{"model":"m","stream":true}', {}, path);
  const text = await reply.text();
  expect(text.startsWith(begun[path] ?? '?')).toBe(true);
  return text.slice(begun[path]?.length);
}

test('a stream that breaks ends in the error event of its own API', async () => {
  const anthropic = /^event: error\ndata: (.*)\n\n$/.exec(await lastEvent('/v1/messages'))?.[1] ?? '';
  expect(JSON.parse(anthropic)).toEqual({
    type: 'error',
    error: { type: 'api_error', message: expect.any(String) },
  });
  const responses = /^event: error\ndata: (.*)\n\n$/.exec(await lastEvent('/v1/responses'))?.[1] ?? '';
  expect(JSON.parse(responses)).toMatchObject({
    type: 'error',
    code: 'upstream_failed',
    error: { type: 'server_error', code: 'upstream_failed', param: null },
  });
  const chat = /^data: (.*)\n\n$/.exec(await lastEvent('/v1/chat/completions'))?.[1] ?? '';
  expect(JSON.parse(chat)).toMatchObject({ error: { type: 'server_error', code: 'upstream_failed' } });
});

test("elsewhere errors have OpenAI's shape, whatever the path's reply would have been", async () => {
  const { gateway } = await start(wellBehaved);
  for (const path of ['/v1/responses', '/tokenize', '/v1/embeddings'])
    expect((await errorOf(await ask(gateway, '{', {}, path))).code).toBe('invalid_json');
});
