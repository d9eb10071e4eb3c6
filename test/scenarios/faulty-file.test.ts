import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetLoad } from '../../src/domain/fleet-load.ts';
import type { JournalEntry } from '../../src/domain/journal.ts';
import type { NewKey } from '../../src/domain/key-record.ts';
import { postChat } from '../gateway/harness.ts';
import { isRunning, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(async () => {
  fleet.write({});
  await fleet.close();
});

function file(): string {
  return readFileSync(join(fleet.place.folder, 'berth.yaml'), 'utf8');
}

function breakFile(): void {
  fleet.place.write(file().replace('version: 1', 'version: 1\nspeed: high'));
}

async function answerOf(url: string, key: string): Promise<number> {
  const reply = await postChat(url, { model: 'b' }, { headers: { authorization: `Bearer ${key}` } });
  await reply.text();
  return reply.status;
}

const told = /berth\.yaml:2:[^]*"speed"[^]*This goes by .*berth\.yaml as applied last, at 20/;

test('while the file has a fault, what runs is looked at and stopped by the file that was applied last', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '', b: '' });
  const up = await berth('up', '--detach', '--json');
  expect(up.code, up.stderr).toBe(0);
  const { url } = (up.json() as { gateway: { url: string } }).gateway;
  const { 'a-0': a, 'b-0': b } = await fleet.pids();
  breakFile();

  const logs = await berth('logs', 'a');
  expect([logs.code, logs.stdout]).toEqual([0, expect.stringContaining('fake engine on port')]);
  expect(logs.stderr).toMatch(told);
  const top = await berth('top', '--once', '--interval', '0.2', '--json');
  expect(top.code, top.stderr).toBe(0);
  expect((top.json() as FleetLoad).replicas.map((one) => one.state)).toEqual(['ready', 'ready']);
  const journal = await berth('journal', '--json');
  expect(journal.stderr).toMatch(told);
  expect((journal.json() as { entries: JournalEntry[] }).entries.map((one) => one.do)).toEqual([
    'start',
    'start',
  ]);

  // A key that has leaked is not left until the file is mended.
  const { key } = (await berth('keys', 'add', 'laptop', '--json')).json() as NewKey;
  expect(await answerOf(url, key)).toBe(200);
  const revoked = await berth('keys', 'revoke', 'laptop', '--json');
  expect([revoked.code, revoked.stderr]).toEqual([0, expect.stringMatching(told)]);
  expect(await answerOf(url, key)).toBe(401);

  const stopped = await berth('stop', 'a');
  expect(stopped.code, stopped.stderr).toBe(0);
  expect([stopped.stderr, stopped.stdout]).toEqual([expect.stringMatching(told), 'Done: stop a.\n']);
  expect(isRunning(a ?? 0)).toBe(false);
  // What runs there would start it again at its next looks, had it not heard of it.
  await new Promise((done) => setTimeout(done, 3_000));
  const now = (await fleet.status()).deployments.map((one) => [one.name, one.replicas[0]?.state]);
  expect(now).toEqual([
    ['a', 'stopped'],
    ['b', 'ready'],
  ]);
  // Nothing is changed by an old file but that.
  expect((await berth('start', 'a')).code).toBe(2);

  const down = await berth('down');
  expect(down.code, down.stderr).toBe(0);
  expect(down.stderr).toMatch(told);
  await until(() => !isRunning(b ?? 0), 'b to end');
  // By now nothing is there to be stopped.
  expect((await berth('down')).code).toBe(2);
});

test('so it is without a "berth up", also where the file is gone', async () => {
  const { berth, folder } = fleet.place;
  fleet.write({ a: '', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const { 'a-0': a, 'b-0': b } = await fleet.pids();
  rmSync(join(folder, 'berth.yaml'));
  const only = await berth('down', '--only', 'a');
  expect([only.code, isRunning(a ?? 0), isRunning(b ?? 0)], only.stderr).toEqual([0, false, true]);
  const down = await berth('down');
  expect([down.code, isRunning(b ?? 0)], down.stderr).toEqual([0, false]);
});

test('a file with a fault that fleets share leads to none of them', async () => {
  const { berth, folder } = fleet.place;
  fleet.write({ a: '' });
  fleet.place.write('imports: [./berth.yaml]\n', 'lab.yaml');
  expect((await berth('apply', '-f', 'lab.yaml')).code).toBe(0);
  const { 'a-0': a } = await fleet.pids();
  breakFile();
  expect([(await berth('down')).code, isRunning(a ?? 0)]).toEqual([2, true]);
  const down = await berth('down', '-f', 'lab.yaml');
  expect([down.code, isRunning(a ?? 0)], down.stderr).toEqual([0, false]);
  expect(down.stderr).toContain(join(folder, 'lab.yaml'));
});
