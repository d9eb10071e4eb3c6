import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Route } from '../../src/domain/gateway-config.ts';
import { unobserved } from '../../src/domain/observe-config.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { startExporter } from '../../src/gateway/tracing/exporter.ts';
import type { ObserveConfig } from '../../src/domain/observe-config.ts';
import { chatEvent, usage, wellBehaved } from './fake-upstream.ts';
import { chat, configFor, dial, engine, front, post, postChat, start, until } from './harness.ts';
import type { Turn } from './fake-upstream.ts';

const Span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string().regex(/^\d{19}$/),
  attributes: z.array(
    z.object({ key: z.string(), value: z.record(z.string(), z.string()) }).transform(({ key, value }) => ({
      key,
      value: Object.values(value)[0],
    })),
  ),
  status: z.object({ code: z.int() }),
});
type Span = z.infer<typeof Span>;
const Payload = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
});

/** A collector of OTLP over HTTP. */
async function collector(
  status = 200,
): Promise<{ spans: Span[]; asked: () => number; observe: ObserveConfig }> {
  const spans: Span[] = [];
  let asked = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      asked += 1;
      const { resourceSpans } = Payload.parse(JSON.parse(text));
      spans.push(...resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(request.url === '/v1/traces' ? status : 404).end('{}');
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => new Promise<void>((done) => void server.close(() => done())));
  const { port } = server.address() as AddressInfo;
  const tracing = { otlp: `http://127.0.0.1:${port}`, sample: 1, service: 'test' };
  return { spans, asked: () => asked, observe: { ...unobserved, tracing } };
}

function attributesOf(span: Span | undefined): Record<string, string | undefined> {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, value]));
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

test('without tracing, traceparent and tracestate reach the engine as the client sent them', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const headers = { traceparent: `00-${traceId}-${parent}-01`, tracestate: 'vendor=1' };
  await (await postChat(gateway.url, {}, { headers })).text();
  expect(upstream.seen[0]?.headers).toMatchObject(headers);
});

test('a trace that the client began goes on through the gateway into the engine, span by span', async () => {
  const { spans, observe } = await collector();
  const { upstream, gateway } = await start(wellBehaved, { observe });
  const headers = { traceparent: `00-${traceId}-${parent}-01`, tracestate: 'vendor=1' };
  await (await postChat(gateway.url, { stream: true }, { headers })).text();
  await until('the spans are there', () => spans.length === 3);
  const [request, queue, attempt] = spans;
  expect(spans.map((span) => span.traceId)).toEqual([traceId, traceId, traceId]);
  expect(request).toMatchObject({ parentSpanId: parent, name: 'chat m', kind: 2, status: { code: 0 } });
  expect([queue?.parentSpanId, attempt?.parentSpanId]).toEqual([request?.spanId, request?.spanId]);
  expect(upstream.seen[0]?.headers).toMatchObject({
    traceparent: `00-${traceId}-${attempt?.spanId}-01`,
    tracestate: 'vendor=1',
  });
  expect(attributesOf(request)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'berth',
    'gen_ai.request.model': 'm',
    'gen_ai.usage.input_tokens': String(usage.prompt_tokens),
    'gen_ai.usage.output_tokens': String(usage.completion_tokens),
    'http.response.status_code': '200',
  });
  expect(attributesOf(attempt)).toMatchObject({
    'server.address': '127.0.0.1',
    'server.port': String(upstream.port),
    'berth.instance': 'u0',
  });
  for (const span of spans)
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  const began = Number(BigInt(request?.startTimeUnixNano ?? 0) / 1_000_000n);
  expect(Math.abs(began - Date.now())).toBeLessThan(60_000);
  expect(JSON.stringify(spans)).not.toContain('Hello');
});

test('the span of an attempt has the name that the engine has for the model', async () => {
  const { spans, observe } = await collector();
  const { gateway } = await start(wellBehaved, { observe, upstream: { model: 'large-1' } });
  await (await postChat(gateway.url)).text();
  await until('the spans are there', () => spans.length === 3);
  expect(spans.filter(({ kind }) => kind !== 1).map((span) => [span.name, attributesOf(span)])).toMatchObject(
    [
      ['chat m', { 'gen_ai.request.model': 'm' }],
      ['chat large-1', { 'gen_ai.request.model': 'large-1' }],
    ],
  );
});

test('a request without a trace begins one, and each attempt at an engine is a span of its own', async () => {
  const { spans, observe } = await collector();
  const dead = await engine(wellBehaved);
  await dead.stop();
  const good = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('half'));
    turn.reset();
  });
  const gateway = await front(configFor([{ url: dead.url }, { url: good.url }], { observe }));
  await until('both were tried for one request', async () => {
    await (await postChat(gateway.url, { stream: true })).text();
    return (await gateway.metric('berth_gateway_retries_total')) > 0;
  });
  await until('the spans are there', () => spans.filter(({ kind }) => kind === 3).length > 1);
  const failed = spans.find((span) => attributesOf(span)['error.type'] === 'refused');
  const second = spans.find(
    (span) => span.parentSpanId === failed?.parentSpanId && span.kind === 3 && span !== failed,
  );
  expect(failed?.status.code).toBe(2);
  expect(attributesOf(second)['error.type']).toBe('upstream_failed');
  const request = spans.find((span) => span.spanId === failed?.parentSpanId);
  expect(request).toMatchObject({ kind: 2, status: { code: 2 } });
  expect(request?.parentSpanId).toBeUndefined();
});

test("a request that is the client's fault tells so, and is no error of the gateway's", async () => {
  const { spans, observe } = await collector();
  const upstream = await engine(wellBehaved);
  const gateway = await front(configFor([{ url: upstream.url }], { observe }));
  expect((await postChat(gateway.url, { model: 'other' })).status).toBe(404);
  await until('the span is there', () => spans.length > 0);
  expect(spans[0]).toMatchObject({ kind: 2, status: { code: 0 } });
  expect(attributesOf(spans[0])['error.type']).toBe('model_not_found');
});

test('what the client does not want recorded is not, nor what falls outside the sample; both go on to the engine', async () => {
  const { spans, observe } = await collector();
  const { upstream, gateway } = await start(wellBehaved, {
    observe: { ...observe, tracing: { sample: 0, service: 'test', otlp: observe.tracing?.otlp ?? null } },
  });
  const unwanted = { traceparent: `00-${traceId}-${parent}-00` };
  await (await postChat(gateway.url, {}, { headers: unwanted })).text();
  await (await postChat(gateway.url)).text();
  await (await postChat(gateway.url, {}, { headers: { traceparent: 'nonsense' } })).text();
  const wanted = { traceparent: `00-${traceId}-${parent}-01` };
  await (await postChat(gateway.url, {}, { headers: wanted })).text();
  await until('the wanted one is there', () => spans.length === 3);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const passed = upstream.seen.map(({ headers }) => headers['traceparent'] ?? '');
  expect(passed[0]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  expect(passed[1]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(passed[2]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('a collector that refuses or is away costs the spans, which are counted, and nothing else', async () => {
  const { observe, asked } = await collector(503);
  const upstream = await engine(wellBehaved);
  const shape = [{ url: upstream.url }];
  const gateway = await front(configFor(shape, { observe }));
  expect((await postChat(gateway.url)).status).toBe(200);
  await until(
    'they are dropped',
    async () => (await gateway.metric('berth_gateway_trace_spans_total', 'dropped')) === 3,
  );
  expect(asked()).toBe(1);
  const away = { ...unobserved, tracing: { otlp: 'http://127.0.0.1:1', sample: 1, service: 'test' } };
  await gateway.reload(configFor(shape, { observe: away }));
  expect((await postChat(gateway.url)).status).toBe(200);
  await until(
    'they are dropped',
    async () => (await gateway.metric('berth_gateway_trace_spans_total', 'dropped')) === 6,
  );
});

/** Milliseconds. */
function lengthOf({ startTimeUnixNano, endTimeUnixNano }: Span): number {
  return Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6;
}

test('each wait in line is a span, of the route and of its fallback, and a body that comes slowly is none', async () => {
  const { spans, observe } = await collector();
  const held: Turn[] = [];
  const [a, b] = [await engine((turn) => void held.push(turn)), await engine((turn) => void held.push(turn))];
  function route(name: string, deployment: string): Route {
    return { name, to: [{ deployment, weight: 1 }], aliasOf: null };
  }
  const gateway = await front(
    configFor(
      [
        { url: a.url, deployment: 'a', slots: 1 },
        { url: b.url, deployment: 'b', slots: 1 },
      ],
      {
        observe,
        routes: [{ ...route('m', 'a'), fallback: { to: ['spare'], on: ['deadline'] } }, route('spare', 'b')],
        limits: { queueMs: 1000 },
      },
    ),
  );
  const others = [postChat(gateway.url), postChat(gateway.url, { model: 'spare' })];
  await until('both are busy', () => held.length === 2);
  // Its first line is given up after a second, and the second one before that.
  const waits = postChat(gateway.url);
  await until('it waits at the fallback', async () => {
    const waiting = await gateway.metric('berth_gateway_queue_depth', 'deployment="b"');
    return waiting === 1;
  });
  for (const turn of held.splice(0)) turn.json(200, {});
  await until('it is served', () => held.length === 1);
  held[0]?.json(200, {});
  const reply = await waits;
  const queued = Number(/queue;dur=([\d.]+)/.exec(reply.headers.get('server-timing') ?? '')?.[1]);
  expect(queued).toBeGreaterThanOrEqual(1000);
  expect(
    await gateway.metric('berth_gateway_queue_wait_seconds_sum', 'deployment="b"'),
  ).toBeGreaterThanOrEqual(1);
  await Promise.all(others);
  await until('its spans are there', () => spans.length === 3 + 3 + 4);
  const lines = spans
    .filter(({ name }) => name === 'queue')
    .map(lengthOf)
    .toSorted((x, y) => y - x);
  expect(lines[0]).toBeGreaterThanOrEqual(999);
  expect(lines[1]).toBeGreaterThan(0);
  expect(Math.abs((lines[0] ?? 0) + (lines[1] ?? 0) - queued)).toBeLessThan(0.2);
  expect(lines.slice(2)).toEqual([0, 0]);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(10);
});

test('a tracestate without a trace that it belongs to is not passed on to the trace that begins here', async () => {
  const { observe } = await collector();
  const { upstream, gateway } = await start(wellBehaved, { observe });
  for (const traceparent of [undefined, `00-${traceId}-${parent}`, `00-${traceId}-${parent}-01`])
    await postChat(
      gateway.url,
      {},
      {
        headers: { tracestate: 'vendor=1', ...(traceparent === undefined ? {} : { traceparent }) },
      },
    );
  // Of two nobody knows which is meant, so that the trace begins here as well.
  const named = `traceparent: 00-${traceId}-${parent}-01\r\n`;
  const twice = `${named}${named}tracestate: vendor=1\r\nConnection: close\r\n`;
  const wire = await dial(gateway.port, post('/v1/chat/completions', chat(), twice));
  await wire.closed;
  expect(upstream.seen.map(({ headers }) => headers['tracestate'])).toEqual([
    undefined,
    undefined,
    'vendor=1',
    undefined,
  ]);
  expect(upstream.seen[3]?.headers['traceparent']).not.toContain(traceId);
});

test('what is left at the end is sent while the collector takes it, and else counted as dropped', async () => {
  for (const status of [200, 503]) {
    const { spans, asked, observe } = await collector(status);
    const exporter = startExporter(localWorld().http, {
      url: observe.tracing?.otlp ?? '',
      service: 'test',
      everyMs: 60_000,
    });
    const one = {
      traceId,
      spanId: parent,
      name: 'x',
      kind: 2,
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000000000000000',
      attributes: [],
      status: { code: 0 },
    } as const;
    exporter.add(Array.from({ length: 4000 }, () => one));
    await exporter.close();
    const { exported, dropped } = exporter.counts();
    expect([exported, dropped]).toEqual(status === 200 ? [4000, 0] : [0, 4000]);
    expect([spans.length, asked()]).toEqual(status === 200 ? [4000, 8] : [1024, 2]);
  }
});

test('an attempt that an operator ended does not tell of a client that has left', async () => {
  const { spans, observe } = await collector();
  const { upstream, gateway } = await start(() => {}, { observe });
  const ended = postChat(gateway.url, {}, { headers: { 'x-request-id': 'one' } });
  await until('the engine has it', () => upstream.seen.length === 1);
  await gateway.control({ do: 'cancel', request: 'one' });
  expect((await ended).status).toBe(503);
  await until('the spans are there', () => spans.some(({ kind }) => kind === 3));
  const attempt = spans.find(({ kind }) => kind === 3);
  expect(attributesOf(attempt)['error.type']).toBe('request_cancelled');
});
