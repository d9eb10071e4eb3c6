import { expect, test } from 'vitest';
import type { FakeUpstream, Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, sha256 } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** An engine that keeps responses, whose ids begin with its name. */
function keeping(name: string): (turn: Turn) => void {
  let made = 0;
  return (turn) => {
    const { method, path, body } = turn.request;
    if (method !== 'POST' || !path.endsWith('/v1/responses')) {
      turn.json(200, { by: name, method, path });
      return;
    }
    const id = `resp_${name}${(made += 1)}`;
    if (!body.includes('"stream":true')) {
      turn.json(200, { object: 'response', id, status: 'completed' });
      return;
    }
    turn.stream();
    turn.chunk(`event: response.created\ndata: {"type":"response.created","response":{"id":"${id}"}}\n\n`);
  };
}

async function two(): Promise<{ gateway: RunningGateway; engines: FakeUpstream[] }> {
  const engines = [await engine(keeping('a')), await engine(keeping('b'))];
  const gateway = await front(
    configFor(
      engines.map(({ url }) => ({ url, slots: 1 })),
      { keys: ['one', 'two'].map((name) => ({ id: name, name, sha256: sha256(name) })) },
    ),
  );
  return { gateway, engines };
}

function ask(
  gateway: RunningGateway,
  path: string,
  init: RequestInit & { key?: string } = {},
): Promise<Response> {
  const { key = 'one', ...rest } = init;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return fetch(gateway.url + path, { ...rest, headers });
}

async function make(gateway: RunningGateway, more: Record<string, unknown> = {}): Promise<string> {
  const body = JSON.stringify({ model: 'm', input: 'Hi', ...more });
  const reply = await ask(gateway, '/v1/responses', { method: 'POST', body });
  return ((await reply.json()) as { id: string }).id;
}

test('a stored response is asked for, cancelled and deleted at the engine that answered', async () => {
  const { gateway } = await two();
  const ids = [await make(gateway), await make(gateway), await make(gateway)];
  expect(new Set(ids.map((id) => id[5])).size).toBe(2);
  for (const id of ids) {
    const path = `/v1/responses/${id}`;
    for (const [method, at] of [
      ['GET', `${path}?include[]=x`],
      ['GET', `${path}/input_items?limit=2`],
      ['POST', `${path}/cancel`],
      ['DELETE', path],
    ] as const) {
      const reply = await ask(gateway, at, { method });
      expect(await reply.json()).toEqual({ by: id[5], method, path: at });
    }
  }
});

test('a response can be cancelled while it streams and holds the only slot', async () => {
  const { gateway, engines } = await two();
  const streams = await Promise.all(
    [0, 1].map(() =>
      ask(gateway, '/v1/responses', { method: 'POST', body: '{"model":"m","stream":true,"input":"Hi"}' }),
    ),
  );
  const texts = await Promise.all(
    streams.map(async (reply) => {
      const part = await reply.body?.getReader().read();
      return new TextDecoder().decode(part?.value);
    }),
  );
  for (const text of texts) {
    const id = /resp_\w+/.exec(text)?.[0] ?? '';
    const reply = await ask(gateway, `/v1/responses/${id}/cancel`, { method: 'POST' });
    expect(await reply.json()).toMatchObject({ by: id[5] });
  }
  expect(engines.map(({ seen }) => seen.length)).toEqual([2, 2]);
});

test('what goes on from a stored response is made where that lies', async () => {
  const { gateway } = await two();
  const id = await make(gateway);
  for (let i = 0; i < 4; i += 1) expect((await make(gateway, { previous_response_id: id }))[5]).toBe(id[5]);
});

test.each(['', '/upstream/m', '/upstream/m/openai'])(
  "nothing goes on from somebody else's stored response (%s/v1/responses)",
  async (prefix) => {
    const { gateway, engines } = await two();
    async function goOn(key: string, body: string, more = ''): Promise<[number, string | null]> {
      const reply = await ask(gateway, `${prefix}/v1/responses${more}`, { method: 'POST', key, body });
      const { error } = (await reply.json()) as { error?: { code: string } };
      return [reply.status, error?.code ?? null];
    }
    const id = await make(gateway);
    const body = JSON.stringify({ model: 'm', input: 'What did I say?', previous_response_id: id });
    const asked = engines.map(({ seen }) => seen.length);
    expect(await goOn('two', body)).toEqual([404, 'response_not_found']);
    expect(await goOn('two', body, '/input_tokens')).toEqual([404, 'response_not_found']);
    // Engines differ in which of two counts.
    const twice = body.replace('{', '{"previous_response_id":"resp_of_nobody",');
    expect(await goOn('two', twice)).toEqual([400, 'invalid_json']);
    expect(engines.map(({ seen }) => seen.length)).toEqual(asked);
    expect((await goOn('one', body))[0]).toBe(200);
    // What nobody knows here, the engine judges.
    expect((await goOn('two', body.replace(id, 'resp_elsewhere')))[0]).toBe(200);
  },
);

test('an id that a client has its reply repeat is not taken from whose it is', async () => {
  const { gateway, engines } = await two();
  const id = await make(gateway);
  for (const one of engines)
    one.setScript((turn) => turn.json(200, { metadata: { id }, id: 'resp_z1', path: turn.request.path }));
  const claims = JSON.stringify({ model: 'm', input: 'Hi', metadata: { id } });
  expect((await ask(gateway, '/v1/responses', { method: 'POST', key: 'two', body: claims })).status).toBe(
    200,
  );
  expect((await ask(gateway, `/v1/responses/${id}`, { key: 'two' })).status).toBe(404);
  expect((await ask(gateway, `/v1/responses/${id}`)).status).toBe(200);
});

test('what an engine answers to its own path below /upstream is kept for who asked', async () => {
  const { gateway } = await two();
  const body = '{"model":"m","input":"Hi"}';
  const made = await ask(gateway, '/upstream/m/v1/responses', { method: 'POST', body });
  const { id } = (await made.json()) as { id: string };
  expect((await ask(gateway, `/v1/responses/${id}`)).status).toBe(200);
  expect((await ask(gateway, `/v1/responses/${id}`, { key: 'two' })).status).toBe(404);
});

test("a stored response is nobody else's, and one that nobody knows or whose engine is gone says so", async () => {
  const { gateway, engines } = await two();
  const id = await make(gateway);
  const foreign = await ask(gateway, `/v1/responses/${id}`, { key: 'two' });
  expect([foreign.status, (await errorOf(foreign)).code]).toEqual([404, 'response_not_found']);
  const unknown = await errorOf(await ask(gateway, '/v1/responses/resp_x/cancel', { method: 'POST' }));
  expect(unknown.message).toContain('since it was started');
  const left = engines.filter((_, i) => 'ab'[i] !== id[5]).map(({ url }) => ({ url, id: 'other' }));
  await gateway.reload(configFor(left, { keys: [{ id: 'one', name: 'one', sha256: sha256('one') }] }));
  const gone = await ask(gateway, `/v1/responses/${id}`);
  expect([gone.status, (await errorOf(gone)).message]).toEqual([404, expect.stringContaining('no longer')]);
  expect((await ask(gateway, `/v1/responses/${id}`, { method: 'PUT' })).status).toBe(405);
});
