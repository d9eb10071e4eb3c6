import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { freePorts, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { streamLoad } from '../support/stream-load.ts';
import type { StreamLoad } from '../support/stream-load.ts';

vi.setConfig({ testTimeout: 300_000 });

/** 50 clients stream without a pause while engines, routes and limits change: none of them may notice. */

const clients = 50;
const engine = join(import.meta.dirname, '../support/streaming-engine.mjs');
let place: Place;
let id: string;
let hosts: string;
let load: StreamLoad | null;

beforeEach(() => {
  id = randomBytes(8).toString('hex');
  hosts = ownPorts();
  place = makePlace();
  load = null;
});

afterEach(async () => {
  await load?.stop();
  await place.berth('down');
  await place.close();
});

function fleet(deployment: string, gateway = ''): string {
  const command = JSON.stringify([process.execPath, engine, '{port}']);
  return [
    'version: 1',
    'fleet: lab',
    hosts,
    `id: "${id}"`,
    `gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 100s}${gateway}}`,
    'console: {listen: "127.0.0.1:0"}',
    'deployments:',
    `  a: {${deployment}, engine: {kind: command, command: ${command}, stopGrace: 5s, startTimeout: 60s, slots: SLOTS}}`,
    '',
  ].join('\n');
}

function slots(text: string, count: number): string {
  return text.replace('SLOTS', String(count));
}

async function upWith(text: string): Promise<{ url: string; pid: number }> {
  place.write(text);
  const up = await place.berth('up', '--detach', '--json');
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const { gateway, process: own } = up.json() as { gateway: { url: string }; process: { pid: number } };
  return { url: gateway.url, pid: own.pid };
}

async function pids(): Promise<(number | null)[]> {
  const found = (await place.berth('status', '--json')).json() as FleetStatus;
  return found.deployments.flatMap((one) => one.replicas.map((replica) => replica.pid));
}

/** Every client has been served so often since now. */
async function served(running: StreamLoad, times = 1): Promise<void> {
  const from = running.ended.length;
  await until(() => running.ended.length >= from + clients * times, 'the clients to be served', 120_000);
}

function expectNoneNoticed(running: readonly { status: number; whole: boolean; text: string }[]): void {
  const bad = running.filter((one) => one.status !== 200 || !one.whole);
  expect(bad.map(({ status, text }) => `${status} ${text}`)).toEqual([]);
}

test('an engine on a pinned port is replaced while its requests wait as long as their route says: no request fails and every text is whole', async () => {
  const [port = 0] = await freePorts(1);
  const text = fleet(`port: ${port}`, ', routes: {held: {to: a, hold: 100s}}').replace(
    'queueTime: 100s',
    'queueTime: 1ms',
  );
  const { url } = await upWith(slots(text, 60));
  const [before] = await pids();
  load = streamLoad(url, 'held', clients);
  await served(load);
  place.write(slots(text, 61));
  const applied = await place.berth('apply');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect(applied.stderr).toContain('in its place');
  await served(load);
  const streams = await load.stop();
  expectNoneNoticed(streams);
  const [after] = await pids();
  expect(after).not.toBe(before);
  expect(new Set(streams.map(({ pid }) => pid))).toEqual(new Set([before, after]));
});

test('an engine without a pinned port is replaced beside the old one, and nobody waits or fails', async () => {
  const text = fleet('replicas: 1');
  const { url } = await upWith(slots(text, 60));
  const [before] = await pids();
  load = streamLoad(url, 'a', clients);
  await served(load);
  place.write(slots(text, 61));
  const applied = await place.berth('apply');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect(applied.stderr).toContain('beside the old one');
  await served(load);
  const streams = await load.stop();
  expectNoneNoticed(streams);
  const [after] = await pids();
  expect(new Set(streams.map(({ pid }) => pid))).toEqual(new Set([before, after]));
});

test('routes, limits and replicas change under load by SIGHUP alone, and what did not change is not restarted', async () => {
  const one = fleet('replicas: 1');
  const { url, pid } = await upWith(slots(one, 60));
  const [first] = await pids();
  load = streamLoad(url, 'a', clients);
  await served(load);
  const two = fleet('replicas: 2', ', routes: {other: a}');
  place.write(slots(two, 60));
  process.kill(pid, 'SIGHUP');
  await until(async () => (await (await fetch(`${url}/v1/models`)).text()).includes('"other"'), 'the route');
  await served(load, 2);
  expect((await pids())[0]).toBe(first);
  place.write(slots(one, 60));
  const applied = await place.berth('apply');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  await served(load);
  const streams = await load.stop();
  expectNoneNoticed(streams);
  expect(new Set(streams.map((stream) => stream.pid)).size).toBe(2);
  expect(await pids()).toEqual([first]);
});

test('a file that is wrong leaves the old one in force under load: apply exits with 2, and up and status say so', async () => {
  const text = fleet('replicas: 1');
  const { url, pid } = await upWith(slots(text, 60));
  const before = await pids();
  load = streamLoad(url, 'a', clients);
  await served(load);
  place.write(`${slots(text, 60)}nonsense: 1\n`);
  expect((await place.berth('apply')).code).toBe(2);
  process.kill(pid, 'SIGHUP');
  place.write(slots(text, 60), 'good.yaml');
  const finding = await until(async () => {
    const found = (await place.berth('status', '--json', '-f', 'good.yaml')).json() as FleetStatus;
    return found.findings.find(({ rule }) => rule === 'old-configuration');
  }, 'the finding');
  expect(finding.message).toContain('nonsense');
  place.write(slots(text, 60));
  expect((await place.berth('apply')).code).toBe(0);
  const found = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(found.findings.map(({ rule }) => rule)).not.toContain('old-configuration');
  await served(load);
  expectNoneNoticed(await load.stop());
  expect(await pids()).toEqual(before);
});

test('an engine that dies under load takes only the streams that it had begun, and those end with an error and no [DONE]', async () => {
  const { url } = await upWith(slots(fleet('replicas: 2'), 60));
  const [first = 0, second = 0] = await pids();
  load = streamLoad(url, 'a', clients);
  await served(load);
  process.kill(first ?? 0, 'SIGKILL');
  await served(load, 2);
  const streams = await load.stop();
  const bad = streams.filter(({ status, whole }) => status !== 200 || !whole);
  for (const { status, pid, text } of bad) {
    expect([status, pid]).toEqual([200, first]);
    expect(text).toContain('"error":{');
    expect(text).not.toContain('[DONE]');
  }
  expect(bad.length).toBeLessThanOrEqual(clients);
  expect(streams.some(({ pid, whole }) => pid === second && whole)).toBe(true);
});

test('berth down lets every stream that has begun end whole, and takes nothing new', async () => {
  const { url } = await upWith(slots(fleet('replicas: 1'), 60));
  load = streamLoad(url, 'a', clients);
  await served(load);
  expect((await place.berth('down')).code).toBe(0);
  const streams = await load.stop();
  for (const { status, whole, text } of streams)
    expect([200, 503, 0], `${status} ${text}`).toContain(status === 200 && !whole ? 'cut' : status);
  const refused = streams.filter(({ status }) => status === 503);
  expect(refused.filter(({ retryAfter }) => !/^[1-9]\d*$/.test(retryAfter ?? ''))).toEqual([]);
  expect(streams.some(({ status }) => status === 0)).toBe(true);
});

test('with --watch a changed file is applied by itself', async () => {
  const text = fleet('replicas: 1');
  place.write(slots(text, 60));
  const up = place.spawn('up', '--watch');
  const { url } = await until(async () => {
    const found = (await place.berth('status', '--json')).json() as FleetStatus;
    return found.gateway.url === null ? null : { url: found.gateway.url };
  }, 'the gateway');
  place.write(slots(fleet('replicas: 1', ', routes: {other: a}'), 60));
  await until(async () => (await (await fetch(`${url}/v1/models`)).text()).includes('"other"'), 'the route');
  const said = await until(() => /The fleet file was read again/.exec(up.output().stderr)?.[0], 'the line');
  expect(said).toBe('The fleet file was read again');
});
