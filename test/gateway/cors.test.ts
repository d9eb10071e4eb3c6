import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import { chat, errorOf, sha256, start } from './harness.ts';

/** What a page in a browser may do: nothing, unless the operator has named its origin. */

const named = 'https://chat.example.com';

function post(url: string, headers: Record<string, string>, body = chat()): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
}

test('a page that is not named is refused before its request reaches an engine, and told why', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  for (const origin of ['https://evil.example', 'null', 'http://evil.example:8484']) {
    // Such a request needs no preflight: the browser sends it for any page.
    const refused = await post(gateway.url, {
      origin,
      'content-type': 'text/plain',
      'x-request-id': 'mine-1',
    });
    expect(refused.headers.get('x-request-id')).toBe('mine-1');
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(await errorOf(refused)).toMatchObject({
      code: 'origin_not_allowed',
      message: expect.stringContaining('gateway.cors.origins'),
    });
  }
  expect(upstream.seen).toEqual([]);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="403"')).toBe(3);
});

test('a page that is named gets its preflight answered without a key, and the headers with every reply', async () => {
  const keys = [{ id: 'k', name: 'k', sha256: sha256('k') }];
  const { gateway } = await start(wellBehaved, { keys, corsOrigins: [named] });
  const preflight = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin: named,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, x-stainless-lang',
    },
  });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    'access-control-allow-origin': named,
    'access-control-allow-methods': expect.stringMatching(/POST.*PUT.*PATCH.*DELETE/),
    'access-control-allow-headers': 'authorization, content-type, x-stainless-lang',
    vary: 'Origin',
  });
  const replies = [
    await post(gateway.url, { origin: named, authorization: 'Bearer k' }),
    await post(gateway.url, { origin: named, authorization: 'Bearer k' }, chat({ stream: true })),
    await post(gateway.url, { origin: named }),
    await fetch(`${gateway.url}/v1/models`, { headers: { origin: named, authorization: 'Bearer k' } }),
  ];
  expect(replies.map((reply) => reply.status)).toEqual([200, 200, 401, 200]);
  for (const { headers } of replies) {
    expect(headers.get('access-control-allow-origin')).toBe(named);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    expect(exposed).toEqual(
      expect.arrayContaining([
        'retry-after',
        'server-timing',
        'x-berth-deployment',
        'x-berth-route',
        // By these the official clients tell whether to try again, and which request it was.
        'x-should-retry',
        'request-id',
      ]),
    );
  }
  expect(await replies[1]?.text()).toContain('data: [DONE]');
});

test('a page that was served from the same address is no stranger, one that only claims a name for it is', async () => {
  const { gateway } = await start(wellBehaved, { corsOrigins: [] });
  expect((await post(gateway.url, { origin: gateway.url })).status).toBe(200);
  expect((await post(gateway.url, { origin: `http://localhost:${gateway.port}` })).status).toBe(403);
});

test('what a page loads without telling its origin is refused too, unless a person follows a link', async () => {
  const { upstream, gateway } = await start(wellBehaved, { corsOrigins: [named] });
  async function statusOf(site: string, mode: string, dest: string): Promise<number> {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest };
    // fetch would write these headers itself.
    const asked = request(`${gateway.url}/upstream/m/health`, { headers, agent: false }).end();
    const [reply] = (await once(asked, 'response')) as [IncomingMessage];
    reply.resume();
    return reply.statusCode ?? 0;
  }
  expect(await statusOf('cross-site', 'no-cors', 'image')).toBe(403);
  expect(await statusOf('same-site', 'no-cors', 'script')).toBe(403);
  expect(await statusOf('cross-site', 'navigate', 'iframe')).toBe(403);
  expect(upstream.seen).toEqual([]);
  expect(await statusOf('cross-site', 'navigate', 'document')).toBe(200);
  expect(await statusOf('same-origin', 'cors', 'empty')).toBe(200);
  expect(await statusOf('none', 'navigate', 'document')).toBe(200);
});

test('programs, which send no origin, are not concerned', async () => {
  const { gateway } = await start(wellBehaved, { corsOrigins: [named] });
  const reply = await post(gateway.url, {});
  expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, null]);
});
