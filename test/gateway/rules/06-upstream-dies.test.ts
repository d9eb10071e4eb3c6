import { expect, test } from 'vitest';
import { chatEvent, chunkOf, doneEvent, wellBehaved, wholeStream } from '../fake-upstream.ts';
import type { Script } from '../fake-upstream.ts';
import { chat, dial, errorOf, post, postChat, start, until } from '../harness.ts';

test('rule 6: a stream whose engine dies ends in an error event and without [DONE]', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    turn.reset();
  });
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text.startsWith(chatEvent('begun'))).toBe(true);
  const last = text.slice(chatEvent('begun').length);
  expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
    error: { type: 'server_error', code: 'upstream_failed', param: null },
  });
  expect(text).not.toContain('[DONE]');
  expect(await gateway.metric('berth_gateway_requests_total', 'status="502"')).toBe(1);
});

test.each([true, false])(
  'rule 6: of an event within which the engine dies nothing reaches the client (usage asked for: %s)',
  async (include_usage) => {
    const { gateway } = await start((turn) => {
      turn.stream();
      // The second byte of an umlaut, and the rest of the chunk, never come.
      turn.write(
        Buffer.concat([Buffer.from(`1000\r\n${chatEvent('begun')}data: {"half`), Buffer.from([0xc3])]),
      );
      turn.close();
    });
    const reply = await postChat(gateway.url, { stream: true, stream_options: { include_usage } });
    const events = (await reply.text()).split('\n\n');
    expect(events).toHaveLength(3);
    expect(`${events[0]}\n\n`).toBe(chatEvent('begun'));
    expect(JSON.parse(events[1]?.slice('data: '.length) ?? '')).toHaveProperty(
      'error.code',
      'upstream_failed',
    );
    expect(events[2]).toBe('');
  },
);

test('rule 6: a stream that is written byte by byte is passed on event by event, and the last byte arrives', async () => {
  const bytes = Buffer.concat([chunkOf(wholeStream + 'data: no blank line'), Buffer.from('0\r\n\r\n')]);
  const { gateway } = await start(async (turn) => {
    turn.stream();
    for (const byte of bytes) {
      turn.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    turn.done();
  });
  const reply = await postChat(gateway.url, { stream: true, stream_options: { include_usage: true } });
  expect(await reply.text()).toBe(`${wholeStream}data: no blank line`);
});

test('rule 6: an event too large to be held back that breaks off cuts the connection', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    turn.chunk(`${chatEvent('begun')}data: ${'y'.repeat(200_000)}`);
    await until(
      'a part of it is passed on',
      async () => (await gateway.metric('berth_gateway_inflight')) === 1,
    );
    turn.reset();
  });
  await expect(postChat(gateway.url, { stream: true }).then((reply) => reply.text())).rejects.toThrow(
    'terminated',
  );
});

test('rule 6: a comment of the engine is not held back', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    turn.chunk(': still here\n');
    await turn.closed;
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the comment has come', () => wire.text().includes(': still here\n'));
  expect(wire.text()).toMatch(/^HTTP\/1\.1 200 /);
  wire.socket.destroy();
});

test('rule 6: a stream that ends without its last chunk is no success', async () => {
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun') + doneEvent);
    turn.close();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"error"');
});

test.each([
  ['of known length', 'Content-Length: 100\r\n\r\n{"half":'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n8\r\n{"half":\r\n'],
])('rule 6: a plain reply %s that breaks off is broken for the client too', async (_, begun) => {
  const { gateway } = await start((turn) => {
    turn.write(`HTTP/1.1 200 OK\r\n${begun}`);
    setTimeout(() => turn.reset(), 20);
  });
  await expect(postChat(gateway.url).then((reply) => reply.text())).rejects.toThrow('terminated');
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="upstream"')).toBe(1);
});

const deaths: Record<string, Script> = {
  'before the head': (turn) => turn.reset(),
  'by closing without a byte': (turn) => turn.close(),
  'within the head': (turn) => {
    turn.write('HTTP/1.1 200 OK\r\nContent-Ty');
    turn.close();
  },
  'with garbage': (turn) => turn.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  'with both framings': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'),
  'with a header line that is none': (turn) => turn.write('HTTP/1.1 200 OK\r\nno colon here\r\n\r\n'),
  'with two lengths': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'),
  'with a head and a broken first chunk in one': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}'),
  'with a good chunk and a broken one beside its head': (turn) =>
    turn.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n\r\n'),
  'with the head of a stream and a broken first chunk in one': (turn) =>
    turn.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:X\r\n',
    ),
  'with a head without end': (turn) => turn.write(`HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`),
};

test.each(Object.keys(deaths))(
  'rule 6: an engine that dies %s gives a 502 in OpenAI shape, once',
  async (name) => {
    const { upstream, gateway } = await start(deaths[name] as Script);
    const reply = await postChat(gateway.url);
    expect(reply.status).toBe(502);
    expect(reply.headers.get('x-berth-origin')).toBe('gateway');
    expect((await errorOf(reply)).code).toBe('upstream_failed');
    // A generation may have begun: it is not sent again.
    expect(upstream.seen.length).toBe(1);
    upstream.setScript(wellBehaved);
    expect((await postChat(gateway.url)).status).toBe(200);
  },
);

test.each(['zz\r\n', '\r\n', 'fffffffffffff\r\n', '5\r\nhelloX'])(
  'rule 6: broken chunked framing (%j) ends the stream with an error',
  async (framing) => {
    const { gateway } = await start((turn) => {
      turn.stream();
      turn.chunk(chatEvent('a'));
      turn.write(framing);
    });
    expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"error"');
  },
);
