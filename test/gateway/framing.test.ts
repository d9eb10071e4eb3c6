import { expect, test } from 'vitest';
import { chatEvent, chunkOf, doneEvent, usageEvent } from './fake-upstream.ts';
import { chat, dial, post, start, until } from './harness.ts';

/** Verbatim forwarding beside the usage event that the gateway asked for: who pays for taking it out, and how much. */

const path = '/v1/chat/completions';

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

test('only a stream whose usage event is taken out is framed anew; others keep their chunks', async () => {
  const end = '0\r\n\r\n';
  const odd = [chatEvent('a').slice(0, 9), chatEvent('a').slice(9), chatEvent('b'), usageEvent + doneEvent];
  const { gateway } = await start((turn) => {
    turn.stream();
    // In one write, so that the gateway's reads end where events end, as with every engine.
    turn.write(`${odd.map(framed).join('')}${end}`);
    turn.done();
  });
  const asked = chat({ stream: true, stream_options: { include_usage: true } });
  for (const [to, body] of [
    [path, asked],
    ['/v1/messages', chat({ stream: true })],
    ['/v1/responses', chat({ stream: true })],
  ] as const) {
    const wire = await dial(gateway.port, post(to, body));
    await until('it is whole', () => wire.text().endsWith(end));
    wire.socket.destroy();
    expect(bodyOf(wire.text())).toBe(`${odd.map(framed).join('')}${end}`);
  }
  const wire = await dial(gateway.port, post(path, chat({ stream: true })));
  await until('it is whole', () => wire.text().endsWith(end));
  wire.socket.destroy();
  expect(bodyOf(wire.text())).not.toContain('"usage"');
});

function framed(piece: string): string {
  return chunkOf(piece).toString('utf8');
}

test.each([true, false])(
  'of a stream at most the last event is held back, and only until it is whole (usage asked for: %s)',
  async (include_usage) => {
    const parts = [`${chatEvent('first')}data: {"id":"held"`, ',"choices":[{"index":0,"delta":{}}]}\n\n'];
    const next = Promise.withResolvers<void>();
    const { gateway } = await start(async (turn) => {
      turn.stream();
      turn.chunk(parts[0] ?? '');
      await next.promise;
      turn.chunk(parts[1] ?? '');
      await turn.closed;
    });
    const wire = await dial(
      gateway.port,
      post(path, chat({ stream: true, stream_options: { include_usage } })),
    );
    await until('the whole event is through', () => wire.text().includes('first'));
    expect(wire.text()).not.toContain('held');
    next.resolve();
    await until('the other is through as well', () => wire.text().endsWith('{}}]}\n\n\r\n'));
    wire.socket.destroy();
    const payload = bodyOf(wire.text()).replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
    expect(payload.trimEnd()).toBe(parts.join('').trimEnd());
  },
);
