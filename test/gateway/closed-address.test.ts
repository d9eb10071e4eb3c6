import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { AccessRecord } from '../../src/domain/access-record.ts';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { freePorts } from '../support/berth.ts';
import { chatEvent } from './fake-upstream.ts';
import type { Script, Turn } from './fake-upstream.ts';
import {
  chat,
  configFor,
  dial,
  engine,
  errorOf,
  front,
  post,
  postChat,
  readMetric,
  until,
} from './harness.ts';
import type { RunningGateway, UpstreamShape } from './harness.ts';

/** Rule 23: what goes on at an address that a reload took away has its time, and then is told. */

interface TwoDoors {
  readonly gateway: RunningGateway;
  readonly seen: readonly unknown[];
  /** URLs of the address that goes and of that which stays. */
  readonly goes: string;
  readonly port: number;
  readonly stays: string;
  /** Takes the first address out of the config. */
  readonly close: (drainMs: number) => Promise<void>;
  readonly metric: (name: string, labels?: string) => Promise<number>;
  /** Of the access log, by request id. */
  readonly lines: () => Promise<Record<string, AccessRecord>>;
}

async function twoDoors(script: Script, shape: Partial<UpstreamShape> = {}): Promise<TwoDoors> {
  const folder = await mkdtemp(join(tmpdir(), 'berth access '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'access.log');
  const accessLog = { path, format: 'json' as const, maxBytes: 1 << 20, keep: 0 };
  const upstream = await engine(script);
  const [port = 0, kept = 0] = await freePorts(2);
  function config(ports: readonly number[], drainMs: number): GatewayConfig {
    return configFor([{ url: upstream.url, ...shape }], {
      listen: ports.map((one) => ({ address: '127.0.0.1', port: one })),
      limits: { drainMs },
      observe: { genAi: false, metricsKey: false, accessLog, tracing: null, capture: null },
    });
  }
  const gateway = await front(config([port, kept], 60_000));
  const stays = `http://127.0.0.1:${kept}`;
  return {
    gateway,
    seen: upstream.seen,
    goes: `http://127.0.0.1:${port}`,
    port,
    stays,
    close: (drainMs) => gateway.reload(config([kept], drainMs)),
    metric: (name, labels = '') => readMetric(stays, name, labels),
    lines: async () => {
      const text = (await readFile(path, 'utf8').catch(() => '')).trim();
      const records = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as AccessRecord);
      return Object.fromEntries(records.map((record) => [record.id, record]));
    },
  };
}

function named(id: string): RequestInit {
  return { headers: { 'x-request-id': id } };
}

test('rule 23: what does not end in time at an address that is gone is told so, and the others go on', async () => {
  const held: Turn[] = [];
  const { goes, stays, close, metric, lines } = await twoDoors(
    (turn) => {
      held.push(turn);
      if (!turn.request.body.includes('"stream":true')) return;
      turn.stream();
      turn.chunk(chatEvent('begun'));
    },
    { slots: 3 },
  );
  const stream = await postChat(goes, { stream: true }, named('stream'));
  const other = await postChat(stays, { stream: true }, named('other'));
  const waiting = postChat(goes, {}, named('waiting'));
  await until('the engine has three', () => held.length === 3);
  const queued = postChat(goes, {}, named('queued'));
  await until('one is in line', async () => (await metric('berth_gateway_queue_depth')) === 1);
  await close(100);
  expect(await stream.text()).toMatch(/begun.*data: \{"error":.*"code":"draining"\}\}\n\n$/s);
  for (const reply of [await waiting, await queued]) {
    const error = await errorOf(reply);
    expect([reply.status, error.code]).toEqual([503, 'draining']);
    expect(error.message).toContain('address');
    expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  await until('the engine is told', async () => (await metric('berth_gateway_inflight')) === 1);
  expect(await metric('berth_gateway_upstream_aborts_total', 'cause="draining"')).toBe(2);
  expect(await metric('berth_gateway_upstream_aborts_total')).toBe(2);
  expect(await metric('berth_gateway_requests_total', 'status="503"')).toBe(3);
  held[1]?.chunk(chatEvent('finished'));
  held[1]?.endChunks();
  expect(await other.text()).toContain('finished');
  await until('all are noted', async () => Object.keys(await lines()).length === 4);
  const { stream: cut, waiting: had, queued: none, other: whole } = await lines();
  for (const record of [cut, had, none])
    expect(record).toMatchObject({ outcome: 'cancelled', status: 503, code: 'draining' });
  expect(cut).toMatchObject({ outputTokens: 1, tokenSource: 'estimate' });
  expect([had?.tokenSource, none?.tokenSource]).toEqual(['estimate', null]);
  expect(whole).toMatchObject({ outcome: 'done', status: 200 });
});

test('rule 23: a plain reply that does not end in time there is broken off, and not as if its client had left', async () => {
  const { goes, close, metric, lines } = await twoDoors((turn) =>
    turn.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun'),
  );
  const reply = await postChat(goes, {}, named('plain'));
  await close(100);
  await expect(reply.text()).rejects.toThrow('terminated');
  await until('it is noted', async () => (await lines())['plain'] !== undefined);
  expect((await lines())['plain']).toMatchObject({ outcome: 'cancelled', code: 'draining' });
  expect(await metric('berth_gateway_upstream_aborts_total', 'cause="draining"')).toBe(1);
});

test('rule 23: a request that begins there when the time is up is told so, and reaches no engine', async () => {
  const { goes, port, seen, close, metric } = await twoDoors(() => {});
  const busy = postChat(goes);
  await until('the engine has one', () => seen.length === 1);
  const body = chat();
  const wire = await dial(port, 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Le');
  const whole = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const later = await dial(port, `${whole}${whole.slice(0, 20)}`);
  await until('its first is answered', () => later.text().includes('"ok"'));
  const answered = later.text().length;
  await close(100);
  expect((await busy).status).toBe(503);
  wire.socket.write(`ngth: ${body.length}\r\n\r\n${body}`);
  later.socket.write(whole.slice(20));
  await Promise.all([wire.closed, later.closed]);
  for (const text of [wire.text(), later.text().slice(answered)])
    expect(text).toMatch(/^HTTP\/1\.1 503 .*"code":"draining"/s);
  expect(seen.length).toBe(1);
  expect(await metric('berth_gateway_requests_total', 'status="499"')).toBe(0);
});

test('rule 23: an address that is gone has no more time than the gateway that ends', async () => {
  const { gateway, goes, close, lines } = await twoDoors((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const stream = await postChat(goes, { stream: true }, named('stream'));
  // It would have ten minutes.
  await close(600_000);
  await close(100);
  await gateway.close();
  expect(await stream.text()).toMatch(/"code":"draining"\}\}\n\n$/s);
  expect((await lines())['stream']).toMatchObject({ outcome: 'cancelled', code: 'draining' });
});

test('rule 23: an address that is gone may have longer than a timer can take', async () => {
  const held: Turn[] = [];
  const { goes, close } = await twoDoors((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const stream = await postChat(goes, { stream: true });
  await close(30 * 86_400_000);
  // A timer that is asked for too much goes off within a millisecond.
  await setTimeout(100);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await stream.text()).toContain('finished');
});

test('rule 23: a request whose body still comes there is told, and does not count as given up by its client', async () => {
  const { port, seen, close, metric, lines } = await twoDoors(() => {});
  const wire = await dial(port, post('/v1/chat/completions', chat(), 'x-request-id: slow\r\n').slice(0, -10));
  await until('the body is held', async () => (await metric('berth_gateway_body_bytes')) > 0);
  await close(100);
  await wire.closed;
  expect(wire.text()).toMatch(/^HTTP\/1\.1 503 .*"code":"draining"/s);
  await until('it is noted', async () => (await lines())['slow'] !== undefined);
  expect((await lines())['slow']).toMatchObject({
    outcome: 'cancelled',
    code: 'draining',
    tokenSource: null,
  });
  expect(seen.length).toBe(0);
});
