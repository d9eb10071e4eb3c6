import { expect, test } from 'vitest';
import { chatEvent, chunkOf, doneEvent, usage, usageEvent, wellBehaved } from './fake-upstream.ts';
import { chat, dial, post, postChat, start, until } from './harness.ts';

const whole = ['Hel', 'lo', '!'].map(chatEvent).join('') + doneEvent;

test('a stream reaches the client byte for byte, without the usage event that it did not ask for', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const reply = await postChat(gateway.url, { stream: true });
  expect(reply.status).toBe(200);
  expect(await reply.text()).toBe(whole);
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="output",source="engine"')).toBe(3);
  expect(await gateway.metric('berth_gateway_tokens_total', 'direction="input",source="engine"')).toBe(7);
});

test('a client that asked for usage gets the usage event, and the body goes through unchanged', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const asked = { stream: true, stream_options: { include_usage: true } };
  const reply = await postChat(gateway.url, asked);
  expect(await reply.text()).toBe(whole.replace(doneEvent, usageEvent + doneEvent));
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject(asked);
});

test.each([1, 2, 3, 7, 50, 1000])('framing split into reads of %i bytes changes nothing', async (size) => {
  const events = [...['Hä', '€', '😀'].map(chatEvent), usageEvent, doneEvent].join('');
  const chunks = Buffer.concat([
    chunkOf(events.slice(0, 11)),
    chunkOf(events.slice(11, 300)),
    chunkOf(events.slice(300)),
    Buffer.from('0\r\nX-Trailer: yes\r\n\r\n'),
  ]);
  const { gateway } = await start(async (turn) => {
    turn.stream();
    for (let at = 0; at < chunks.length; at += size) {
      turn.write(chunks.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    turn.done();
  });
  const stripped = await postChat(gateway.url, { stream: true });
  expect(await stripped.text()).toBe(events.replace(usageEvent, ''));
  const asked = await postChat(gateway.url, { stream: true, stream_options: { include_usage: true } });
  expect(await asked.text()).toBe(events);
});

test('a usage event that ends in CRLF and spaces in its JSON is found as well', async () => {
  const spaced = `data: ${JSON.stringify({ choices: [], usage }).replaceAll(':', ': ')}\r\n\r\n`;
  const { gateway } = await start((turn) => {
    turn.stream();
    turn.chunk(chatEvent('a') + spaced);
    turn.chunk(doneEvent);
    turn.endChunks();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(chatEvent('a') + doneEvent);
});

test('events with an empty list that are no usage events stay, and so do comments', async () => {
  const events = [
    ': ping\n\n',
    `data: ${JSON.stringify({ choices: [], prompt_filter_results: [], usage: null })}\n\n`,
    chatEvent('"choices":[] "usage":{} []'),
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [] } }] })}\n\n`,
  ];
  const { gateway } = await start((turn) => {
    turn.stream();
    for (const event of events) turn.chunk(event);
    turn.endChunks();
  });
  // No [DONE] is made up where the engine sent none.
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(events.join(''));
});

test('every read is passed on at once', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    turn.chunk(chatEvent('first'));
    await turn.closed;
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the first event has come', () => wire.text().includes('first'));
  expect(wire.text()).toMatch(/X-Accel-Buffering: no/i);
  expect(wire.text()).toMatch(/Cache-Control: no-cache, no-transform/i);
  wire.socket.destroy();
});

test('the head of a stream does not wait for its first event', async () => {
  const { gateway } = await start(async (turn) => {
    turn.stream();
    await turn.closed;
  });
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the head has come', () => wire.text().includes('\r\n\r\n'));
  expect(wire.text()).toMatch(/^HTTP\/1\.1 200 /);
  wire.socket.destroy();
});

test('unknown fields, big numbers, their order and odd spacing reach the engine unchanged', async () => {
  const { upstream, gateway } = await start(wellBehaved, { upstream: { model: 'engine "x"' } });
  const before = '{ "top_k":40,"seed":12345678901234567890, "m\\u006fdelx":1,';
  const after =
    ',"messages":[{"role":"user","content":"\\"model\\":\\u006d {["}],"min_p":0.050,"guided_json":{"model":[1]}}';
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: `${before}"model" : "m"${after}`,
  });
  expect(reply.status).toBe(200);
  expect(upstream.seen[0]?.body).toBe(`${before}"model" : "engine \\"x\\""${after}`);
  expect(reply.headers.get('x-berth-model')).toBe('engine "x"');
  expect(await reply.json()).toMatchObject({ model: 'engine-model' });
});

test.each([
  ['{"include_usage":false}', '{"include_usage":true}'],
  ['{ }', '{"include_usage":true }'],
  ['{"a":[1]}', '{"include_usage":true,"a":[1]}'],
  ['null', '{"include_usage":true}'],
])('usage is asked for by the smallest edit: stream_options %s', async (given, sent) => {
  const { upstream, gateway } = await start(wellBehaved);
  const body = `{"model":"m","stream":true,"stream_options":${given},"messages":[]}`;
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body });
  expect(await reply.text()).toBe(whole);
  expect(upstream.seen[0]?.body).toBe(body.replace(`"stream_options":${given}`, `"stream_options":${sent}`));
});

test('secrets, hop-by-hop headers and claims about the client stay behind; tracing goes on', async () => {
  const { upstream, gateway } = await start((turn) =>
    turn.json(
      200,
      { ok: true },
      'Server: engine\r\nConnection: x-private\r\nX-Private: 1\r\nAccess-Control-Allow-Origin: *\r\nX-Timing: 5\r\n',
    ),
  );
  const headers = [
    'Authorization: Bearer secret',
    'Cookie: a=b',
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
  for (const name of ['authorization', 'cookie', 'x-forwarded-for', 'x-hop', 'connection'])
    expect(seen).not.toHaveProperty(name);
  expect(wire.text()).toMatch(/x-request-id: abc-1/i);
  expect(wire.text()).toMatch(/x-berth-origin: upstream/i);
  expect(wire.text()).toMatch(/x-timing: 5/i);
  expect(wire.text()).toMatch(
    /server-timing: queue;dur=[\d.]+, upstream_ttfb;dur=[\d.]+, gateway;dur=[\d.]+/i,
  );
  expect(wire.text()).not.toMatch(/^(server|x-private|access-control-allow-origin):/im);
});

test('replies without chunks, with a length or ended by closing, pass whole', async () => {
  const text = 'x'.repeat(300_000);
  const { upstream, gateway } = await start((turn) => turn.json(200, { text }));
  expect(await (await postChat(gateway.url)).json()).toEqual({ text });
  upstream.setScript((turn) => {
    turn.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${whole}`);
    turn.close();
  });
  expect(await (await postChat(gateway.url, { stream: true })).text()).toBe(whole);
});

test('a client of HTTP/1.0 gets the stream without chunks', async () => {
  const { gateway } = await start(wellBehaved);
  const wire = await dial(
    gateway.port,
    post('/v1/chat/completions', chat({ stream: true })).replace('HTTP/1.1', 'HTTP/1.0'),
  );
  await wire.closed;
  expect(wire.text().split('\r\n\r\n')[1]).toBe(whole);
});

test('interim replies of the engine are passed over', async () => {
  const { gateway } = await start((turn) => {
    turn.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
    turn.json(200, { ok: true });
  });
  expect(await (await postChat(gateway.url)).json()).toEqual({ ok: true });
});

test('a client that reads slowly slows the engine down and gets everything', async () => {
  const event = chatEvent('y'.repeat(50_000));
  const count = 400;
  const { gateway } = await start((turn) => {
    turn.stream();
    for (let i = 0; i < count; i += 1) turn.chunk(event);
    turn.endChunks();
  });
  const reply = await postChat(gateway.url, { stream: true });
  // Until the body is asked for, fetch reads little of it.
  await until('the reply is under way', async () => (await gateway.metric('berth_gateway_inflight')) === 1);
  expect(await reply.text()).toBe(event.repeat(count));
});
