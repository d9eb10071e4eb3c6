import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JournalEntry } from '../../src/domain/journal.ts';
import { freePorts, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

interface Answer {
  path: string;
  damaged: number;
  entries: JournalEntry[];
}

async function journal(...args: string[]): Promise<Answer> {
  const ran = await fleet.place.berth('journal', '--json', ...args);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.json();
}

function short({ command, do: what, deployment, object, became, outcome }: JournalEntry): unknown[] {
  return [command, what, deployment, object, became, outcome];
}

test('the journal says who changed which engine, by which command and plan, why, and what came of it', async () => {
  const { berth } = fleet.place;
  const [port = 0] = await freePorts(1);
  fleet.write({ a: `port: ${port}` });
  const planned = await berth('plan', '--out', 'plan.json');
  const plan = /^Plan ([0-9a-f]{12}) is kept/.exec(planned.stderr)?.[1];
  expect((await berth('apply', 'plan.json')).code).toBe(0);
  const first = `process ${(await fleet.pids())['a-0']}`;
  fleet.write({ a: `port: ${port}` }, { slots: { a: 3 } });
  expect((await berth('apply')).code).toBe(0);
  const second = `process ${(await fleet.pids())['a-0']}`;
  expect((await berth('down')).code).toBe(0);

  const { entries, path } = await journal();
  expect(entries.map(short)).toEqual([
    ['apply', 'start', 'a', null, first, 'done'],
    ['apply', 'stop', 'a', first, null, 'done'],
    ['apply', 'start', 'a', null, second, 'done'],
    ['down', 'stop', 'a', second, null, 'done'],
  ]);
  expect(entries.map((one) => one.plan === plan)).toEqual([true, false, false, false]);
  expect(entries[1]?.reasons).toEqual(['engine.slots: 2 → 3']);
  const { uid, username } = userInfo();
  expect(entries[0]?.who).toEqual({ uid, user: username, sudoUser: null, machine: hostname() });
  expect(statSync(path).mode & 0o777).toBe(0o600);

  const text = (await berth('journal', 'a', '--limit', '1')).stdout;
  expect(text).toContain(`stop a ${second}`);
  expect(text).not.toContain(first);
  expect((await berth('journal', 'nobody')).stdout).toBe('Nothing was changed yet.\n');
});

test('what failed is in the journal with its code, and what a killed berth had begun as unfinished', async () => {
  const { place, write } = fleet;
  write({ a: '' }, { top: '  bad: {engine: {kind: command, command: [sh, -c, "exit 3"]}}' });
  expect((await place.berth('apply')).code).toBe(7);
  const failed = (await journal('bad')).entries[0];
  expect([failed?.outcome, failed?.error?.code]).toEqual(['failed', 'ENGINE_CRASHED']);

  write({ a: '' }, { top: '  slow: {engine: {kind: command, command: [sleep, "1000"]}}' });
  const apply = place.spawn('apply');
  await until(async () => (await journal('slow')).entries[0]?.outcome === 'under way', 'the start');
  apply.child.kill('SIGKILL');
  await apply.exited;
  expect((await journal('slow')).entries[0]).toMatchObject({ outcome: 'unfinished', endedAt: null });
});

test('a journal that has grown large is moved aside once, is still read, and a damaged line is told', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '' });
  expect((await berth('apply')).code).toBe(0);
  const { path } = await journal();
  const kept = readFileSync(path, 'utf8');
  writeFileSync(path, `${'x'.repeat(5 * 1024 * 1024)}\n${kept}`);
  expect((await berth('apply', '--restart', 'a')).code).toBe(0);
  expect(statSync(path).size).toBeLessThan(100_000);
  expect(statSync(`${path}.1`).size).toBeGreaterThan(5_000_000);
  expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600);
  const { entries, damaged } = await journal();
  expect([entries.map((one) => one.do).toSorted(), damaged]).toEqual([['start', 'start', 'stop'], 1]);
});

test('keys that are made, renewed and revoked are in the journal by name, and never the key', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '' });
  const made = (await berth('keys', 'add', 'laptop')).stdout.trim();
  const renewed = (await berth('keys', 'rotate', 'laptop')).stdout.trim();
  expect((await berth('keys', 'add', 'laptop')).code).not.toBe(0);
  expect((await berth('keys', 'revoke', 'laptop')).code).toBe(0);
  const { entries, path } = await journal();
  expect(entries.map((one) => [one.command, one.do, one.outcome])).toEqual([
    ['keys', 'add key', 'done'],
    ['keys', 'rotate key', 'done'],
    ['keys', 'revoke key', 'done'],
  ]);
  expect(entries.map(({ object }) => object)).toEqual(
    Array(3).fill(expect.stringMatching(/^laptop \(key-\w+\)$/)),
  );
  const text = readFileSync(path, 'utf8');
  for (const key of [made, renewed]) {
    expect(key).toMatch(/^sk-berth-/);
    expect(text).not.toContain(key);
  }
});

test('what berth up starts again, and what comes and goes on demand, is in the journal with its reason', async () => {
  const { berth } = fleet.place;
  fleet.write(
    { a: '', b: 'load: on-demand, memory: 1Mi, ttl: 1s' },
    { gateway: ', onDemand: {memory: 1Gi, patience: 0s}' },
  );
  const up = (await berth('up', '--detach', '--json')).json() as { gateway: { url: string } };
  const first = (await fleet.pids())['a-0'] ?? 0;
  process.kill(first, 'SIGKILL');
  const body = JSON.stringify({ model: 'b', messages: [] });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${up.gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
  expect(reply.status).toBe(200);
  await until(async () => {
    const { entries } = await journal('a', 'b');
    return entries.filter(({ outcome }) => outcome === 'done').length >= 4;
  }, 'the engines to come and go');
  const { entries } = await journal('a', 'b');
  function told(name: string): unknown[] {
    const own = entries.filter(({ deployment, command }) => deployment === name && command === 'up');
    return own.map((one) => [one.do, one.host, one.outcome, one.reasons.join()]);
  }
  expect(told('a').at(-1)).toEqual(['start', 'local', 'done', 'it had ended by itself']);
  expect(told('b').slice(0, 2)).toEqual([
    ['start', 'local', 'done', 'its model was asked for'],
    ['stop', 'local', 'done', 'its model is unloaded'],
  ]);
  expect(entries.find((one) => one.do === 'stop')?.object).toMatch(/^process \d+$/);
});
