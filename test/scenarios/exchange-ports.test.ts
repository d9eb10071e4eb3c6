import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { streamLoad } from '../support/stream-load.ts';
import type { StreamLoad } from '../support/stream-load.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Two engines whose ports are pinned get each the other's, while clients stream from both through the gateway. */

const engine = resolve(import.meta.dirname, '../support/streaming-engine.mjs');
const clients = 5;
let place: Place;
let ports: readonly [number, number];
let loads: StreamLoad[];

beforeEach(async () => {
  place = makePlace();
  const [first = 0, second = 0] = await freePorts(2);
  ports = [first, second];
  // While there is such a file, b ends at once on the port that a had.
  const fault = `test -e '${place.folder}/broken' && test $0 = ${first} && exit 3;`;
  const line = `exec ${process.execPath} ${engine} $0`;
  const [commandA, commandB] = [line, `${fault} ${line}`].map((words) =>
    JSON.stringify(['/bin/sh', '-c', words, '{port}']),
  );
  place.write(`version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 120s}}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {port: ${first}, engine: {kind: command, command: ${commandA}, stopGrace: 5s, startTimeout: 60s, slots: 20}} # eyes
  b: {port: ${second}, engine: {kind: command, command: ${commandB}, stopGrace: 5s, startTimeout: 60s, slots: 20}}
`);
  const up = await place.berth('up', '--detach', '--json');
  if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  const { url } = (up.json() as { gateway: { url: string } }).gateway;
  loads = ['a', 'b'].map((name) => streamLoad(url, name, clients));
  await served();
});

afterEach(async () => {
  for (const load of loads) await load.stop();
  await place.berth('down');
  await place.close();
});

/** Waits until each client of both has been served anew. */
async function served(): Promise<void> {
  const from = loads.map((load) => load.ended.length);
  await until(
    () => loads.every((load, at) => load.ended.length >= (from[at] ?? 0) + 2 * clients),
    'the clients to be served',
    60_000,
  );
}

async function failed(): Promise<string[]> {
  const ended = await Promise.all(loads.map((load) => load.stop()));
  return ended.flatMap((streams) =>
    streams.filter((one) => one.status !== 200 || !one.whole).map(({ status, text }) => `${status} ${text}`),
  );
}

async function runs(): Promise<Record<string, unknown>> {
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  return Object.fromEntries(
    deployments.map(({ name, replicas: [one] }) => [name, { state: one?.state, port: one?.port }]),
  );
}

function file(): string {
  return readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
}

test('two engines exchange their ports while both are asked: no request fails, and the file says so with its comments', async () => {
  const before = file();
  const [first, second] = ports;
  const words = ['--here', '--port', `a=${second}`, '--port', `b=${first}`];
  const told = (await place.berth('consolidate', ...words, '--dry-run')).stdout;
  expect(told).toContain(`b is to have its port ${first}, so that requests of a wait`);
  expect(told).not.toContain('beside the old one');
  const ran = await place.berth('consolidate', ...words, '--yes', '--json');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(await runs()).toEqual({
    a: { state: 'ready', port: second },
    b: { state: 'ready', port: first },
  });
  expect(file()).toBe(
    before
      .replace(`a: {port: ${first}`, `a: {port: ${second}`)
      .replace(`b: {port: ${second}`, `b: {port: ${first}`),
  );
  await served();
  expect(await failed()).toEqual([]);
});

test('where one of the two does not come up at the port of the other, both are as they were', async () => {
  const before = file();
  const [first, second] = ports;
  writeFileSync(join(place.folder, 'broken'), '');
  const words = ['--here', '--port', `a=${second}`, '--port', `b=${first}`];
  const { code, stdout, stderr } = await place.berth('consolidate', ...words, '--yes', '--json');
  expect(code, stdout + stderr).toBe(10);
  expect(file(), stdout + stderr).toBe(before);
  expect(await runs()).toEqual({ a: { state: 'ready', port: first }, b: { state: 'ready', port: second } });
  expect(existsSync(join(place.folder, 'berth.yaml.before-move'))).toBe(false);
  await served();
  expect(await failed()).toEqual([]);
});
