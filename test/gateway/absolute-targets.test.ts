import { expect, test } from 'vitest';
import { chat, dial, start, until } from './harness.ts';

/** Clients that take the gateway for a proxy send the whole address as the target (RFC 9112 §3.2.2). */

function request(target: string, host: string, body: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

test.each(['http://127.0.0.1:1/v1/chat/completions?a=b', 'HTTP://LOCALHOST/v1/chat/completions?a=b'])(
  'a request for %s is one for its path, and is passed on as that',
  async (target) => {
    const { gateway, upstream } = await start((turn) => turn.json(200, {}));
    const host = target.split('/')[2]?.toLowerCase() ?? '';
    const wire = await dial(gateway.port, request(target, host, chat()));
    await until('it is answered', () => wire.text().startsWith('HTTP/1.1 200'));
    wire.socket.destroy();
    expect(upstream.seen[0]?.path).toBe('/v1/chat/completions?a=b');
  },
);

test('one that names another server than its Host is refused', async () => {
  const { gateway, upstream } = await start((turn) => turn.json(200, {}));
  const wire = await dial(
    gateway.port,
    request('http://evil.example/v1/chat/completions', '127.0.0.1', chat()),
  );
  await until('it is answered', () => wire.text().startsWith('HTTP/1.1 400'));
  wire.socket.destroy();
  expect(upstream.seen).toEqual([]);
});
