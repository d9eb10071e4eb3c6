import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { GatewayConfig, Upstream } from '../../src/domain/gateway-config.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { systemClock } from '../../src/io/clock.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { Starter } from '../../src/gateway/on-demand/demands.ts';
import { localWorld } from '../../src/io/local-world.ts';
import type { World } from '../../src/io/world.ts';
import { startFakeUpstream } from './fake-upstream.ts';
import type { FakeUpstream, Script } from './fake-upstream.ts';

export interface RunningGateway extends Gateway {
  readonly url: string;
  readonly port: number;
  /** Value of one series of /metrics; 0 when it is not there. `labels` is a part of the label text. */
  readonly metric: (name: string, labels?: string) => Promise<number>;
}

export interface UpstreamShape extends Partial<Upstream> {
  url: string;
}

/** Upstreams of one deployment behind the route "m", unless said otherwise. */
export function configFor(
  upstreams: readonly UpstreamShape[],
  more: Partial<Omit<GatewayConfig, 'limits'>> & { limits?: Partial<GatewayConfig['limits']> } = {},
): GatewayConfig {
  const { limits, ...rest } = more;
  return {
    version: 1,
    fleet: 'test',
    listen: [{ address: '127.0.0.1', port: 0 }],
    routes: [{ name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null }],
    upstreams: upstreams.map((upstream, i) => ({
      id: `u${i}`,
      deployment: 'd',
      model: null,
      slots: null,
      keyFile: null,
      paths: [],
      metricsPath: null,
      healthPath: null,
      onClientAbort: null,
      ...upstream,
    })),
    // As `up` has it: keys are wanted where there are any.
    anonymous: (rest.keys ?? []).length === 0,
    keys: [],
    ...rest,
    limits: {
      bodyBytes: 64 * 1024 * 1024,
      heldBytes: 256 * 1024 * 1024,
      queue: 16,
      queueMs: 20_000,
      connectMs: 10_000,
      idleMs: 20_000,
      drainMs: 500,
      probeMs: 5000,
      ...limits,
    },
  };
}

/** Time as it passes, and what is put on top of it: a deadline comes when the test says so. */
export interface MovableClock extends Clock {
  readonly advance: (ms: number) => void;
}

export function movableClock(): MovableClock {
  let ahead = 0;
  return { ...systemClock, now: () => systemClock.now() + ahead, advance: (ms) => void (ahead += ms) };
}

/** Time that passes only as a test says: what is to end after a second does not end before, however slow the machine is. */
export function turnedClock(): MovableClock {
  let now = systemClock.now();
  return { ...systemClock, now: () => now, advance: (ms) => void (now += ms) };
}

export async function runGateway(
  config: GatewayConfig,
  world: Partial<World> = {},
  starter: Starter | null = null,
): Promise<RunningGateway> {
  const gateway = await startGateway({ ...localWorld(), ...world }, config, starter);
  const port = gateway.listen[0]?.port ?? 0;
  const url = `http://127.0.0.1:${port}`;
  return { ...gateway, url, port, metric: (name, labels = '') => readMetric(url, name, labels) };
}

/** One scripted engine and a gateway before it, both gone when the test ends. */
export async function start(
  script: Script,
  more: Parameters<typeof configFor>[1] & { upstream?: Partial<UpstreamShape>; clock?: Clock } = {},
): Promise<{ upstream: FakeUpstream; gateway: RunningGateway }> {
  const { upstream: shape, clock, ...rest } = more;
  const upstream = await engine(script);
  const gateway = await front(configFor([{ url: upstream.url, ...shape }], rest), clock ? { clock } : {});
  return { upstream, gateway };
}

/** A scripted engine that is gone when the test ends. */
export async function engine(script: Script, port?: number): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream(script, port);
  onTestFinished(() => upstream.stop());
  return upstream;
}

/** A gateway that is gone when the test ends. */
export async function front(
  config: GatewayConfig,
  world: Partial<World> = {},
  starter: Starter | null = null,
): Promise<RunningGateway> {
  const gateway = await runGateway(config, world, starter);
  onTestFinished(() => gateway.close());
  return gateway;
}

export async function readMetric(url: string, name: string, labels: string): Promise<number> {
  return sumOf(await (await fetch(`${url}/metrics`)).text(), name, labels);
}

/** Sum over the series of a metric whose labels contain `labels`, in the text of /metrics. */
export function sumOf(text: string, name: string, labels = ''): number {
  let sum = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(name) && /[{ ]/.test(line[name.length] ?? '') && line.includes(labels))
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  return sum;
}

/** A log of an engine, removed once the test has finished. */
export async function logFileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth logs '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'engine.log');
  await writeFile(file, text);
  return file;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Asks again until it is so; states are awaited, never slept for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`It did not come about that ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Wire {
  readonly socket: net.Socket;
  /** All that came so far. */
  readonly text: () => string;
  readonly closed: Promise<void>;
}

/** A client at the level of the wire. */
export async function dial(port: number, send: string | Uint8Array): Promise<Wire> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  const parts: Buffer[] = [];
  socket.on('data', (bytes) => parts.push(bytes)).on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(send);
  return { socket, text: () => Buffer.concat(parts).toString('utf8'), closed };
}

/** A POST as it goes over the wire. */
export function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function chat(more: Record<string, unknown> = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more });
}

export function postChat(
  url: string,
  more: Record<string, unknown> = {},
  init: RequestInit = {},
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    body: chat(more),
  });
}

/** The error object of a reply in OpenAI's shape; fails when it has another shape. */
export async function errorOf(
  reply: Response,
): Promise<{ message: string; type: string; param: string | null; code: string | null }> {
  const body = (await reply.json()) as {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
  const { message, type, param, code } = body.error;
  if (typeof message !== 'string' || typeof type !== 'string' || param === undefined || code === undefined)
    throw new Error(`This is not OpenAI's error shape: ${JSON.stringify(body)}`);
  return body.error;
}
