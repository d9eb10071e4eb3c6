import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { JournalEntry } from '../../src/domain/journal.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { ShiftStep } from '../../src/fleet/relocate/ease.ts';
import { makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { streamLoad } from '../support/stream-load.ts';
import type { StreamLoad, Streamed } from '../support/stream-load.ts';

vi.setConfig({ testTimeout: 300_000 });

/** 20 clients stream without a pause, and none of them tries again, while a new engine is given more and more of their requests. */

const clients = 20;
const engine = join(import.meta.dirname, '../support/streaming-engine.mjs');
let place: Place;
let url: string;
let load: StreamLoad;
/** Of the engine that serves at first. */
let first: number;
const id = randomBytes(8).toString('hex');
const hosts = ownPorts();

beforeAll(async () => {
  place = makePlace();
  place.write(fleet(60));
  const up = await place.berth('up', '--detach', '--json');
  if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  ({ url } = (up.json() as { gateway: { url: string } }).gateway);
  [first = 0] = await pids();
}, 120_000);

beforeEach(async () => {
  load = streamLoad(url, 'a', clients);
  await served();
}, 120_000);

afterEach(async () => void (await load.stop()), 120_000);

afterAll(async () => {
  await place.berth('down');
  await place.close();
}, 120_000);

function fleet(slots: number, fault?: string): string {
  const words = [process.execPath, engine, '{port}', ...(fault === undefined ? [] : [fault])];
  return `version: 1
fleet: lab
${hosts}
id: "${id}"
gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 100s}}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {engine: {kind: command, command: ${JSON.stringify(words)}, stopGrace: 5s, startTimeout: ${fault === 'loads' ? '3s' : '60s'}, slots: ${slots}}}
`;
}

async function pids(): Promise<number[]> {
  const found = (await place.berth('status', '--json')).json() as FleetStatus;
  return found.deployments.flatMap((one) => one.replicas.flatMap(({ pid }) => pid ?? []));
}

async function served(): Promise<void> {
  const from = load.ended.length;
  await until(() => load.ended.length >= from + clients, 'the clients to be served', 120_000);
}

function failed(streams: readonly Streamed[]): Streamed[] {
  return streams.filter((one) => one.status !== 200 || !one.whole);
}

async function inSteps(
  slots: number,
  fault?: string,
): Promise<{ code: number; stderr: string; shift: ShiftStep[] }> {
  place.write(fleet(slots, fault));
  const ran = await place.berth('apply', '--in-steps', '--json');
  const { shift = [] } = ran.json() as { shift?: ShiftStep[] };
  return { code: ran.code ?? -1, stderr: ran.stderr + ran.stdout, shift };
}

test('an engine that is never ready is given nothing, and no request fails', async () => {
  const ran = await inSteps(61, 'loads');
  expect(ran.code, ran.stderr).toBe(1);
  expect(ran.shift).toEqual([]);
  expect(await pids()).toEqual([first]);
  await served();
  const streams = await load.stop();
  expect(failed(streams)).toEqual([]);
  expect(new Set(streams.map((one) => one.pid))).toEqual(new Set([first]));
});

test('one whose first token comes late is backed out of with the evidence, and no request fails', async () => {
  const ran = await inSteps(61, 'slow');
  expect(ran.code, ran.stderr).toBe(10);
  expect(ran.stderr).toMatch(/The new engine of a is worse than the old one: the p(50|90) of TTFT is /);
  expect(ran.shift.at(-1)?.worse).toMatch(/TTFT/);
  expect(ran.shift.at(-1)?.share).toBeLessThan(1);
  expect(await pids()).toEqual([first]);
  // What is ended is the new one, and the journal says so.
  const { entries } = (await place.berth('journal', '--json')).json() as { entries: JournalEntry[] };
  const [begun, ended] = entries.slice(-2);
  expect([begun?.do, ended?.do]).toEqual(['start', 'stop']);
  expect(ended?.object).toBe(begun?.became);
  await served();
  expect(failed(await load.stop())).toEqual([]);
});

test('one that breaks off after the first token is backed out of; only streams that it had begun break', async () => {
  const ran = await inSteps(61, 'cuts');
  expect(ran.code, ran.stderr).toBe(10);
  expect(ran.shift.at(-1)?.worse).toMatch(/requests failed at the new one/);
  expect(await pids()).toEqual([first]);
  await served();
  const streams = await load.stop();
  const broken = failed(streams);
  expect(broken.length).toBeGreaterThan(0);
  for (const one of broken) expect([one.status, one.pid === first]).toEqual([200, false]);
  expect(broken.length).toBeLessThan(streams.length / 4);
});

test('a good engine gets more and more of the requests, then all; no request fails and each text is whole', async () => {
  const ran = await inSteps(61);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.shift.map((one) => [one.share, one.probed, one.worse])).toEqual(
    [0, 0.05, 0.25, 0.5, 1].map((share) => [share, false, null]),
  );
  for (const { newer } of ran.shift.slice(1)) {
    expect(newer.good).toBeGreaterThan(0);
    expect(newer.failed).toBe(0);
  }
  await served();
  const streams = await load.stop();
  expect(failed(streams)).toEqual([]);
  const after = await pids();
  expect(after).toHaveLength(1);
  expect(new Set(streams.map((one) => one.pid))).toEqual(new Set([first, ...after]));
});
