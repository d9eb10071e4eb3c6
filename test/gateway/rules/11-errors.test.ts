import { expect, test } from 'vitest';
import type { ClientKey } from '../../../src/domain/client-key.ts';
import { startFakeUpstream, wellBehaved } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import { configFor, dial, engine, errorOf, front, postChat, sha256, start, until } from '../harness.ts';

const types = ['invalid_request_error', 'authentication_error', 'rate_limit_error', 'server_error'];

test('rule 11: every error of the gateway is an object with message, type, param and code, and names its origin', async () => {
  const { gateway } = await start((turn) => turn.reset(), { limits: { bodyBytes: 100_000 } });
  const gone = await startFakeUpstream(wellBehaved);
  await gone.stop();
  const alone = await front(configFor([{ url: gone.url }]));
  const url = `${gateway.url}/v1/chat/completions`;
  const replies = [
    await postChat(gateway.url, { model: 'other' }),
    await fetch(url, { method: 'POST', body: 'no json' }),
    await fetch(url, { method: 'POST', body: JSON.stringify({ model: 'm', x: 'y'.repeat(200_000) }) }),
    await fetch(`${gateway.url}/nothing`),
    await fetch(url),
    await postChat(gateway.url),
    await postChat(alone.url),
  ];
  expect(replies.map(({ status }) => status)).toEqual([404, 400, 413, 404, 405, 502, 503]);
  for (const reply of replies) {
    expect(reply.headers.get('x-berth-origin')).toBe('gateway');
    const error = await errorOf(reply);
    expect(types).toContain(error.type);
    expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
  }
});

test('rule 11: so are those by keys, limits, deadlines and endpoints; one who may not has a type of its own', async () => {
  const held: Turn[] = [];
  const { url } = await engine((turn) => void held.push(turn));
  function keyed(id: string, more: Partial<ClientKey> = {}): ClientKey {
    return { id, name: id, sha256: sha256(id), ...more };
  }
  const keys = [
    keyed('all'),
    keyed('slow', { limits: { rpm: 1 } }),
    keyed('spent', { limits: { budget: { day: { tokens: 1 } } } }),
    keyed('elsewhere', { models: ['other'] }),
    keyed('embedder', { endpoints: ['/v1/embeddings'] }),
  ];
  const shape = { url, slots: 1, paths: ['/v1/chat/completions'] };
  const gateway = await front(configFor([shape], { keys, limits: { queueMs: 50, queue: 1 } }));
  function as(key: string, more: Record<string, string> = {}): RequestInit {
    return { headers: { authorization: `Bearer ${key}`, ...more } };
  }
  const first = postChat(gateway.url, {}, as('spent'));
  await until('it is there', () => held.length === 1);
  held.shift()?.json(200, {});
  expect((await first).status).toBe(200);
  const busy = postChat(gateway.url, {}, as('slow'));
  await until('it is served', () => held.length === 1);
  const late = await postChat(gateway.url, {}, as('all'));
  const body = JSON.stringify({ model: 'm', input: 'x' });
  const replies = [
    late,
    await postChat(gateway.url),
    await postChat(gateway.url, {}, as('nobody')),
    await postChat(gateway.url, {}, as('elsewhere')),
    await postChat(gateway.url, {}, as('embedder')),
    await postChat(gateway.url, {}, as('slow')),
    await postChat(gateway.url, {}, as('spent')),
    await fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', body, ...as('all') }),
    await postChat(gateway.url, {}, as('all', { 'content-encoding': 'gzip' })),
    await fetch(`${gateway.url}/unload`, { method: 'POST', ...as('all') }),
    await fetch(`${gateway.url}/v1/files`, as('all')),
  ];
  expect(replies.map(({ status }) => status)).toEqual([
    504, 401, 401, 403, 403, 429, 429, 501, 415, 403, 501,
  ]);
  for (const reply of replies) {
    expect(reply.headers.get('x-berth-origin')).toBe('gateway');
    const error = await errorOf(reply);
    expect(reply.status === 403 ? ['permission_error'] : types).toContain(error.type);
    expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
    expect(error.code).toMatch(/^[a-z_]+$/);
  }
  held[0]?.json(200, {});
  expect((await busy).status).toBe(200);
});

test('rule 11: an error of the engine passes as it is, and names its origin', async () => {
  const { gateway } = await start((turn) => turn.json(400, { error: { message: 'too long' } }));
  const reply = await postChat(gateway.url);
  expect(reply.headers.get('x-berth-origin')).toBe('upstream');
  expect(await reply.json()).toEqual({ error: { message: 'too long' } });
});

test("rule 11: a client of Anthropic's API gets errors in that API's shape", async () => {
  const { gateway } = await start(wellBehaved);
  const body = JSON.stringify({ model: 'other', max_tokens: 1, messages: [] });
  const reply = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body });
  expect([reply.status, await reply.json()]).toMatchObject([
    404,
    { type: 'error', error: { type: 'not_found_error', message: expect.stringContaining('other') } },
  ]);
});

test("rule 11: what is refused below HTTP's surface has the shape of the API that was asked, too", async () => {
  const { gateway } = await start(wellBehaved);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  async function refused(path: string, headers = ''): Promise<unknown> {
    const wire = await dial(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}${headers}\r\n`);
    await wire.closed;
    const [head = '', body = ''] = wire.text().split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 501/);
    return JSON.parse(body);
  }
  const anthropic = {
    type: 'error',
    error: { type: 'api_error', message: expect.stringContaining('WebSockets') },
    request_id: expect.any(String),
  };
  expect(await refused('/v1/messages')).toEqual(anthropic);
  expect(await refused('/v1/messages/count_tokens?beta=true')).toEqual(anthropic);
  expect(await refused('/v1/models', 'anthropic-version: 2023-06-01\r\n')).toEqual(anthropic);
  for (const path of ['/v1/realtime', '/v1/messagesx'])
    expect(await refused(path)).toMatchObject({ error: { code: 'websocket_not_supported', param: null } });
});
