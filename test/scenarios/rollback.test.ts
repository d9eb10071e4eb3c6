import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let id: string;
let hosts: string;

beforeEach(() => {
  id = randomBytes(8).toString('hex');
  hosts = ownPorts();
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

/** Deployments with their slots, and what else of them is to be told in `engine:`. */
function write(slots: Record<string, number>, more = ''): void {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  const lines = Object.entries(slots).map(
    ([name, count]) =>
      `  ${name}: {engine: {kind: command, command: ${command}, stopGrace: 2s, startTimeout: 60s, slots: ${count}${more}}}`,
  );
  place.write(
    `version: 1\nfleet: lab\nid: "${id}"\n${hosts}\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n${lines.join('\n')}\n`,
  );
}

async function expectDone(...args: string[]): Promise<string> {
  const ran = await place.berth(...args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout + ran.stderr;
}

async function replicas(): Promise<Record<string, { slots: number | null; pid: number | null }>> {
  const found = (await place.berth('status', '--json')).json() as FleetStatus;
  return Object.fromEntries(
    found.deployments.map(({ name, replicas: [one] }) => [
      name,
      { slots: one?.slots ?? null, pid: one?.pid ?? null },
    ]),
  );
}

async function slots(): Promise<Record<string, number | null>> {
  return Object.fromEntries(Object.entries(await replicas()).map(([name, one]) => [name, one.slots]));
}

test('rollback has what the last apply changed as it was before, and once more brings it back; restarts do not count', async () => {
  write({ a: 1, b: 1 });
  await expectDone('apply');
  write({ a: 2, b: 1 });
  await expectDone('apply');
  await expectDone('apply', '--restart', 'a', 'b');
  const before = await replicas();
  const file = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');

  const dry = (await place.berth('rollback', '--dry-run', '--json')).json() as Plan;
  expect(dry.actions.map((action) => [action.deployment, action.do])).toEqual([['a', 'replace']]);
  expect(dry.actions[0]?.reasons.map(({ field }) => field)).toEqual([null, 'engine.slots']);
  expect(await replicas()).toEqual(before);

  const said = await expectDone('rollback');
  expect(said).toContain('back to what it was since');
  expect(said).toContain('The fleet file is left as it is');
  expect(await slots()).toEqual({ a: 1, b: 1 });
  expect((await replicas())['b']).toEqual(before['b']);
  expect(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')).toBe(file);
  await expectDone('rollback');
  expect(await slots()).toEqual({ a: 2, b: 1 });
  expect(await expectDone('apply')).toContain('Nothing had to be done.');
});

test('engines that one apply changed go back together', async () => {
  write({ a: 1, b: 1 });
  await expectDone('apply');
  write({ a: 2, b: 2 });
  await expectDone('apply');
  await expectDone('rollback');
  expect(await slots()).toEqual({ a: 1, b: 1 });
});

test('named deployments go back whatever was changed since, and one that was never changed is told', async () => {
  write({ a: 1, b: 1 });
  await expectDone('apply');
  const none = await place.berth('rollback', '--json');
  expect(none.code).toBe(2);
  expect((none.json() as { error: { code: string } }).error.code).toBe('NOTHING_BEFORE');
  write({ a: 2, b: 1 });
  await expectDone('apply');
  write({ a: 2, b: 2 });
  await expectDone('apply');
  await expectDone('rollback', 'a');
  expect(await slots()).toEqual({ a: 1, b: 2 });
  write({ a: 1, b: 2, c: 1 });
  await expectDone('apply');
  const anew = await place.berth('rollback');
  expect(anew.code, anew.stdout + anew.stderr).toBe(2);
  expect(anew.stderr).toContain('The last change of this fleet replaced no engine');
  const never = await place.berth('rollback', 'a', 'c');
  expect(never.code).toBe(2);
  expect(never.stderr).toContain('Nothing is known that c could go back to');
  expect((await place.berth('rollback', 'nobody')).stderr).toContain('The fleet has no deployment nobody.');
});

test('an engine that has fallen goes back too, and one whose mark has no room for what it was before', async () => {
  const long = `, env: {LONG: "${'x'.repeat(6_000)}"}`;
  write({ a: 1 }, long);
  await expectDone('apply');
  write({ a: 2 }, long.replaceAll('x', 'y'));
  await expectDone('apply');
  process.kill((await replicas())['a']?.pid ?? 0, 'SIGKILL');
  await expectDone('rollback', 'a');
  const { a } = await replicas();
  expect(a?.slots).toBe(1);
  expect(readFileSync(`/proc/${a?.pid ?? 0}/environ`, 'utf8')).toContain('LONG=xxx');
});

test('what ran is kept for its user alone, and a change that failed is not what is gone back to', async () => {
  write({ a: 1 });
  await expectDone('apply');
  write({ a: 2 });
  await expectDone('apply');
  place.write(
    readFileSync(join(place.folder, 'berth.yaml'), 'utf8').replace('"{port}"]', '"{port}", "--crash"]'),
  );
  expect((await place.berth('apply')).code).toBe(1);
  const state = join(place.folder, 'state');
  const files = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /ran\/.*\.json$/.test(name),
  );
  expect(files.map((name) => statSync(join(state, name)).mode & 0o777)).toEqual([0o600]);
  await expectDone('rollback');
  expect(await slots()).toEqual({ a: 1 });
});

test('a kept plan is refused when an engine was changed in its place meanwhile', async () => {
  write({ a: 1 });
  await expectDone('apply');
  write({ a: 2 });
  await expectDone('plan', '--out', 'plan.json');
  const path = join(place.folder, 'plan.json');
  const plan = JSON.parse(readFileSync(path, 'utf8')) as Plan;
  expect(plan.basis.marks).toHaveLength(1);
  // As if the object had kept its name and had been made from another mark since.
  place.write(JSON.stringify({ ...plan, basis: { ...plan.basis, marks: ['0'.repeat(64)] } }), 'plan.json');
  const refused = await place.berth('apply', 'plan.json');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/The plan is stale: process \d+ was changed\./);
});
