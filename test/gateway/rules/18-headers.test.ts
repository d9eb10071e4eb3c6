import { expect, test } from 'vitest';
import { chat, dial, post, start, until } from '../harness.ts';

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
