import { expect, test } from 'vitest';
import { chat, dial, post, postChat, sha256, start, until } from '../harness.ts';

test('rule 18: secrets, hop-by-hop headers and claims about the client stay behind; tracing goes on', async () => {
  const { upstream, gateway } = await start((turn) =>
    turn.json(
      200,
      { ok: true },
      'Server: engine\r\nConnection: x-private\r\nX-Private: 1\r\nAccess-Control-Allow-Origin: *\r\nX-Timing: 5\r\nSet-Cookie: a=b\r\n',
    ),
  );
  const headers = [
    'Authorization: Bearer secret',
    'x-api-key: secret',
    'api-key: secret',
    'X-Goog-Api-Key: secret',
    'Cookie: a=b',
    'Expect: 100-continue',
    'X-Forwarded-For: 1.2.3.4',
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'Accept-Encoding: gzip',
    'traceparent: 00-1-2-3',
    'X-Request-Id: abc-1',
  ];
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat(), `${headers.join('\r\n')}\r\n`));
  await until('the reply is there', () => wire.text().includes('"ok":true'));
  wire.socket.destroy();
  const seen = upstream.seen[0]?.headers ?? {};
  expect(seen).toMatchObject({
    traceparent: '00-1-2-3',
    'x-request-id': 'abc-1',
    'accept-encoding': 'identity',
    host: `127.0.0.1:${upstream.port}`,
  });
  for (const name of [
    'authorization',
    'x-api-key',
    'api-key',
    'x-goog-api-key',
    'cookie',
    'expect',
    'x-forwarded-for',
    'x-hop',
    'connection',
  ])
    expect(seen).not.toHaveProperty(name);
  expect(wire.text()).toMatch(/x-request-id: abc-1/i);
  expect(wire.text()).toMatch(/x-berth-origin: upstream/i);
  expect(wire.text()).toMatch(/x-timing: 5/i);
  expect(wire.text()).toMatch(
    /server-timing: queue;dur=[\d.]+, upstream_ttfb;dur=[\d.]+, gateway;dur=[\d.]+/i,
  );
  expect(wire.text()).not.toMatch(/^(server|x-private|set-cookie|access-control-allow-origin):/im);
});

test('rule 18: marks of a gateway behind this one, and what an API lets this one take, are not taken for its own', async () => {
  const marks =
    'x-berth-origin: gateway\r\nx-berth-upstream: far\r\nx-berth-route: far\r\nx-ratelimit-remaining-requests: 4000\r\nx-ratelimit-limit-tokens: 9\r\n';
  const { gateway } = await start((turn) => turn.json(200, { ok: true }, marks), {
    keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { rpm: 3 } }],
    anonymous: true,
  });
  const open = await postChat(gateway.url);
  expect([open.headers.get('x-berth-origin'), open.headers.get('x-berth-upstream')]).toEqual([
    'upstream',
    'u0',
  ]);
  expect(open.headers.get('x-berth-route')).toBeNull();
  // Who has no limits here is told of those there.
  expect(open.headers.get('x-ratelimit-remaining-requests')).toBe('4000');
  for (const left of ['2', '1']) {
    const limited = await postChat(gateway.url, {}, { headers: { authorization: 'Bearer a' } });
    expect(limited.headers.get('x-ratelimit-remaining-requests')).toBe(left);
    expect(limited.headers.get('x-ratelimit-limit-tokens')).toBeNull();
  }
});
