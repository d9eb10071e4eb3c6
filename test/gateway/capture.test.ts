import { expect, test } from 'vitest';
import { CapturedRequest, CaptureList } from '../../src/domain/captured-request.ts';
import { unobserved } from '../../src/domain/observe-config.ts';
import type { ObserveConfig } from '../../src/domain/observe-config.ts';
import { wellBehaved } from './fake-upstream.ts';
import { configFor, engine, front, postChat, sha256, start, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rule 24: nothing whole is kept in memory; a capture is asked for, bounded and redacted. */

function capturing(change: Partial<NonNullable<ObserveConfig['capture']>> = {}): ObserveConfig {
  return { ...unobserved, capture: { maxBytes: 1024 * 1024, bodyBytes: 4096, sample: 1, ...change } };
}

async function listed(gateway: RunningGateway): Promise<CaptureList> {
  return CaptureList.parse(await gateway.control({ do: 'captures' }));
}

async function captured(gateway: RunningGateway, request: string): Promise<CapturedRequest> {
  await until(`${request} is kept`, async () =>
    (await listed(gateway)).captures.some(({ id }) => id === request),
  );
  return CapturedRequest.parse(await gateway.control({ do: 'capture', request }));
}

function named(id: string, more: Record<string, string> = {}): RequestInit {
  return { headers: { 'x-request-id': id, ...more } };
}

test('rule 24: nothing is kept unless it was asked for', async () => {
  const { gateway } = await start(wellBehaved);
  await (await postChat(gateway.url)).text();
  expect(await listed(gateway)).toEqual({ captures: [], bytes: 0, maxBytes: 0 });
});

test('a capture holds request and reply, and no secret of either side', async () => {
  const { gateway } = await start(
    (turn) => turn.json(200, { said: 'Hello!' }, 'Set-Cookie: session=cookie-secret\r\nX-Engine: e\r\n'),
    {
      observe: capturing(),
      anonymous: false,
      keys: [{ id: 'laptop', name: 'laptop', sha256: sha256('sk-secret') }],
    },
  );
  const headers = {
    authorization: 'Bearer sk-secret',
    cookie: 'c=cookie-secret',
    'x-api-key': 'other-secret',
    'x-goog-api-key': 'other-secret',
    'x-session-token': 'other-secret',
    'x-plain': 'seen',
    // By no name, and by what they look like.
    'x-custom': 'Bearer bare-secret',
    'x-amz-thing': 'sk-other-secret',
    'sec-websocket-protocol': 'realtime, openai-insecure-api-key.other-secret',
    'x-link': 'https://host/page?access_token=url-secret',
    'x-hook': 'https://user:hook-secret@host/page',
  };
  await (await postChat(gateway.url, {}, named('r1', headers))).text();
  const found = await captured(gateway, 'r1');
  expect(found).toMatchObject({ key: 'laptop', model: 'm', instance: 'u0', status: 200, code: null });
  expect(JSON.parse(found.request.body)).toMatchObject({ model: 'm', messages: [{ content: 'Hi' }] });
  expect(found.reply).toMatchObject({ status: 200, body: '{"said":"Hello!"}' });
  expect(found.request.headers).toContainEqual(['x-plain', 'seen']);
  expect(JSON.stringify(found)).not.toContain('secret');
  expect(found.request.headers.filter(([, value]) => value === '[redacted]').length).toBe(10);
});

test('of long bodies only the beginning is kept, and the oldest captures make room', async () => {
  const { gateway } = await start((turn) => turn.json(200, { text: 'r'.repeat(100_000) }), {
    observe: capturing({ bodyBytes: 1000, maxBytes: 20_000 }),
  });
  for (let turn = 0; turn < 20; turn += 1)
    await (await postChat(gateway.url, { filler: 'q'.repeat(50_000) }, named(`r${turn}`))).text();
  const last = await captured(gateway, 'r19');
  expect([last.request.body.length, last.reply?.body.length]).toEqual([1000, 1000]);
  expect(last.request.bodyBytes).toBeGreaterThan(50_000);
  expect(last.reply?.bodyBytes).toBeGreaterThan(100_000);
  const list = await listed(gateway);
  expect(list.bytes).toBeLessThanOrEqual(20_000);
  expect(list.captures.length).toBeLessThan(10);
  expect(list.captures[0]?.id).toBe('r19');
  await expect(gateway.control({ do: 'capture', request: 'r0' })).rejects.toMatchObject({
    code: 'REQUEST_UNKNOWN',
  });
});

test('a stream is kept as it came, an own error by its code, and a reload that turns it off forgets all', async () => {
  const upstream = await engine(wellBehaved);
  const shape = [{ url: upstream.url }];
  const gateway = await front(configFor(shape, { observe: capturing() }));
  await (await postChat(gateway.url, { stream: true }, named('streamed'))).text();
  expect((await captured(gateway, 'streamed')).reply?.body).toMatch(/^data: .*data: \[DONE\]\n\n$/s);
  await upstream.stop();
  await (await postChat(gateway.url, {}, named('refused'))).text();
  expect(await captured(gateway, 'refused')).toMatchObject({
    status: 503,
    code: 'no_healthy_instance',
    reply: null,
  });
  await gateway.reload(configFor(shape));
  expect(await listed(gateway)).toEqual({ captures: [], bytes: 0, maxBytes: 0 });
});

test('captures of the same id are kept apart', async () => {
  const { gateway } = await start(wellBehaved, { observe: capturing() });
  for (const user of ['one', 'two']) await (await postChat(gateway.url, { user }, named('r1'))).text();
  await until('both are kept', async () => (await listed(gateway)).captures.length === 2);
  const ids = (await listed(gateway)).captures.map(({ id }) => id);
  const bodies = await Promise.all(ids.map(async (id) => (await captured(gateway, id)).request.body));
  expect(bodies.map((body) => (JSON.parse(body) as { user: string }).user)).toEqual(['two', 'one']);
});

test('a sample of none keeps none', async () => {
  const { gateway } = await start(wellBehaved, { observe: capturing({ sample: 0 }) });
  await (await postChat(gateway.url)).text();
  expect((await listed(gateway)).captures).toEqual([]);
});
