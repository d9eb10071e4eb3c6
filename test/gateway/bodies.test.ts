import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import { dial, errorOf, post, postChat, start, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rules 17 and 19: what is no request is refused in OpenAI's shape, what is too large is not kept, and serving goes on. */

function send(
  gateway: RunningGateway,
  body: string | Uint8Array | ReadableStream,
  headers = {},
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
  });
}

const garbage: Record<string, string | Uint8Array> = {
  'an empty body': '',
  'random bytes': new Uint8Array([0, 255, 17, 128, 3]),
  'a list': '[{"model":"m"}]',
  'a truncated object': '{"model":"m","messages":[{"role":"us',
  'a truncated key': '{"model":"m","mess',
  'a missing comma': '{"model":"m" "messages":[]}',
  'a trailing comma': '{"model":"m",}',
  'brackets that do not match': '{"model":"m","messages":[{]}}',
  'text after the end': '{"model":"m"} x',
  'two objects': '{"model":"m"}{"model":"m"}',
  'a byte order mark': '\ufeff{"model":"m"}',
  'a bare word': '{"model":m}',
  'a number that is none': '{"model":"m","n":01}',
  'no model': '{"messages":[]}',
  'a model that is no string': '{"model":7}',
  'an empty model': '{"model":""}',
  'a broken escape in the model': '{"model":"\\x"}',
  'a control character in the model': '{"model":"a\u0001"}',
  'the model twice': '{"model":"m","model":"other"}',
  'the model twice, once in disguise': '{"model":"m","mod\\u0065l":"other"}',
  'only a nested model': '{"messages":[{"model":"m"}]}',
  'deep nesting': `{"model":"m","a":${'['.repeat(100_000)}`,
};

test.each(Object.keys(garbage))('rule 17: %s gets a 400 in OpenAI shape', async (name) => {
  const { upstream, gateway } = await start(wellBehaved);
  const reply = await send(gateway, garbage[name] ?? '');
  expect(reply.status).toBe(400);
  expect((await errorOf(reply)).type).toBe('invalid_request_error');
  expect(upstream.seen).toEqual([]);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test.each(['"true"', '1', '0', '"false"', '[]', '{}', '-1'])(
  'rule 17: "stream" as %s is refused, since engines differ in whether that is true',
  async (value) => {
    const { upstream, gateway } = await start(wellBehaved);
    const reply = await send(gateway, `{"model":"m","messages":[],"stream":${value}}`);
    expect([reply.status, await errorOf(reply)]).toMatchObject([
      400,
      { code: 'stream_invalid', param: 'stream' },
    ]);
    expect(upstream.seen).toEqual([]);
  },
);

test.each(['true', 'false', 'null'])('rule 17: "stream" may be %s', async (value) => {
  const { gateway } = await start(wellBehaved);
  const reply = await send(gateway, `{"model":"m","messages":[],"stream" : ${value} }`);
  expect(reply.status).toBe(200);
  await reply.text();
});

test('rule 17: a key written with escapes counts as what it means', async () => {
  const { upstream, gateway } = await start(wellBehaved, { upstream: { model: 'e' } });
  expect((await send(gateway, '{"mod\\u0065l":"\\u006d","messages":[]}')).status).toBe(200);
  expect(upstream.seen[0]?.body).toBe('{"mod\\u0065l":"e","messages":[]}');
});

test.each([
  [{ 'content-encoding': 'gzip' }, 415],
  [{ 'content-type': 'application/json; charset=utf-16' }, 415],
  [{ 'content-type': 'application/json; charset=UTF-8' }, 200],
])('rule 17: a body with %j gets a %i', async (headers, status) => {
  const { gateway } = await start(wellBehaved);
  expect((await send(gateway, '{"model":"m"}', headers)).status).toBe(status);
});

test('rule 19: a body over the limit gets a 413 that the client can read, announced or not', async () => {
  const { gateway } = await start(wellBehaved, { limits: { bodyBytes: 1_000_000 } });
  const big = Buffer.alloc(20_000_000, 32);
  const announced = await send(gateway, big);
  expect(announced.status).toBe(413);
  expect((await errorOf(announced)).code).toBe('body_too_large');
  let sent = 0;
  const pieces = new ReadableStream({
    pull(controller) {
      if (sent >= 20_000_000) controller.close();
      else controller.enqueue(big.subarray(0, 100_000));
      sent += 100_000;
    },
  });
  const chunked = await send(gateway, pieces);
  expect(chunked.status).toBe(413);
  await errorOf(chunked);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('rule 19: a client that asks before sending is refused before it sends', async () => {
  const { gateway } = await start(wellBehaved, { limits: { bodyBytes: 1000 } });
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ';
  const refused = await dial(gateway.port, `${head}5000\r\n\r\n`);
  await refused.closed;
  expect(refused.text()).toMatch(/^HTTP\/1\.1 413 /);
  const body = '{"model":"m"}';
  const taken = await dial(gateway.port, `${head}${body.length}\r\n\r\n`);
  await until('it may send', () => taken.text().startsWith('HTTP/1.1 100'));
  taken.socket.write(body);
  await until('it is answered', () => taken.text().includes('HTTP/1.1 200'));
  taken.socket.destroy();
});

test('rule 19: all bodies together stay under their cap: the others get a 429, and serving goes on', async () => {
  const { gateway } = await start((turn) => turn.closed, {
    limits: { bodyBytes: 1_000_000, heldBytes: 2_500_000 },
  });
  const body = `{"model":"m","messages":[{"content":"${'x'.repeat(900_000)}"}]}`;
  const leave = new AbortController();
  const replies = Array.from({ length: 12 }, () =>
    fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body, signal: leave.signal }).then(
      (reply) => reply,
      () => null,
    ),
  );
  await until(
    'the others are refused',
    async () => (await gateway.metric('berth_gateway_limit_rejects_total', 'reason="bodies_full"')) >= 10,
  );
  expect(await gateway.metric('berth_gateway_body_bytes')).toBeLessThanOrEqual(2_500_000);
  leave.abort();
  const refused = (await Promise.all(replies)).filter((reply) => reply !== null);
  for (const reply of refused) {
    expect(reply.status).toBe(429);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  await until('all is given back', async () => (await gateway.metric('berth_gateway_body_bytes')) === 0);
});

const malformed: Record<string, string> = {
  'no HTTP at all': 'hello\r\n\r\n',
  'a TLS greeting': '\u0016\u0003\u0001\u0002\u0000\u0001',
  'both framings': post('/v1/chat/completions', '{}', 'Transfer-Encoding: chunked\r\n'),
  'a broken chunk size':
    'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'no Host': 'GET /v1/models HTTP/1.1\r\n\r\n',
  'a space before the colon': 'GET /v1/models HTTP/1.1\r\nHost : x\r\n\r\n',
};

test.each(Object.keys(malformed))('%s on the wire gets a 400 and the end of the connection', async (name) => {
  const { gateway } = await start(wellBehaved);
  const wire = await dial(gateway.port, Buffer.from(malformed[name] ?? '', 'latin1'));
  await wire.closed;
  expect(wire.text()).toMatch(/^HTTP\/1\.1 400 /);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('headers without end get a 431', async () => {
  const { gateway } = await start(wellBehaved);
  const wire = await dial(gateway.port, `GET / HTTP/1.1\r\nHost: x\r\n${'X-A: bbbbbbbbbb\r\n'.repeat(5000)}`);
  await wire.closed;
  expect(wire.text()).toMatch(/^HTTP\/1\.1 431 .*"code":"headers_too_large"/s);
});

const unservable: Record<string, { send: string; status: number; code: string }> = {
  'a request without Host': {
    send: 'GET /v1/models HTTP/1.1\r\n\r\n',
    status: 400,
    code: 'host_missing',
  },
  'an expectation that nobody knows': {
    send: post('/v1/chat/completions', '{"model":"m"}', 'Expect: foo\r\n'),
    status: 417,
    code: 'expectation_failed',
  },
  'a tunnel': {
    send: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n',
    status: 501,
    code: 'connect_not_supported',
  },
  'a WebSocket': {
    send: 'GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    status: 501,
    code: 'websocket_not_supported',
  },
};

test.each(Object.keys(unservable))('%s is refused in OpenAI shape, with the reason', async (name) => {
  const { send: text, status, code } = unservable[name] as (typeof unservable)[string];
  const { upstream, gateway } = await start(wellBehaved);
  const wire = await dial(gateway.port, text);
  await wire.closed;
  const [head = '', body = ''] = wire.text().split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*Content-Length: ${body.length}(\r\n|$)`, 's'));
  expect(JSON.parse(body)).toMatchObject({
    error: { code, type: 'invalid_request_error', param: null, message: expect.stringMatching(/\.$/) },
  });
  expect(upstream.seen).toEqual([]);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('an offer to go over to HTTP/2, and HTTP/1.0 without Host, are served as they are', async () => {
  const { gateway } = await start(wellBehaved);
  const offer = 'Host: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n';
  for (const request of [`GET /healthz HTTP/1.1\r\n${offer}\r\n`, 'GET /healthz HTTP/1.0\r\n\r\n']) {
    const wire = await dial(gateway.port, request);
    await wire.closed;
    expect(wire.text()).toMatch(/^HTTP\/1\.1 200 .*"ok"/s);
  }
});

test('what the server refuses by itself has the marks of every other reply, and is counted', async () => {
  const page = 'https://chat.example.com';
  const { gateway } = await start(wellBehaved, { corsOrigins: [page] });
  async function replyTo(text: string): Promise<string> {
    const wire = await dial(gateway.port, text);
    await wire.closed;
    return wire.text();
  }
  const upgrade = `Host: x\r\nOrigin: ${page}\r\nX-Request-Id: mine-3\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  const socket = await replyTo(`GET /v1/realtime HTTP/1.1\r\n${upgrade}`);
  expect(socket).toMatch(/x-request-id: mine-3\r\nx-berth-origin: gateway\r\n/);
  expect(socket).toContain(`Access-Control-Allow-Origin: ${page}\r\n`);
  const message = await replyTo(post('/v1/messages', '{}', 'Expect: foo\r\nX-Request-Id: mine-4\r\n'));
  expect(message).toMatch(/^HTTP\/1\.1 417 .*\r\nrequest-id: mine-4\r\n.*"request_id":"mine-4"/s);
  const broken = await replyTo('no request at all\r\n\r\n');
  expect(broken).toMatch(/^HTTP\/1\.1 400 .*x-request-id: \w{36}\r\nx-berth-origin: gateway\r\n/s);
  for (const status of ['501', '417', '400'])
    expect(await gateway.metric('berth_gateway_requests_total', `status="${status}"`), status).toBe(1);
});
