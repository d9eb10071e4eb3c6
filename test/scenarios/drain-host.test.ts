import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JournalEntry } from '../../src/domain/journal.ts';
import { isRunning, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

/** A stream that goes on until it is left. */
async function openStream(url: string): Promise<{ leave: () => void; next: () => Promise<boolean> }> {
  const left = new AbortController();
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', messages: [], stream: true }),
    signal: left.signal,
  });
  expect(reply.status).toBe(200);
  const reader = reply.body?.getReader();
  return {
    leave: () => left.abort(),
    next: async () => (await reader?.read().catch(() => null))?.done === false,
  };
}

/** Runs a fleet whose deployment "a" streams for ever, and gives the gateway's URL. */
async function up(): Promise<string> {
  const modes = { a: ['--mute', join(fleet.place.folder, 'never')] };
  fleet.write({ a: '', b: '' }, { modes, gateway: ', limits: {drain: 300ms}' });
  const started = await fleet.place.berth('up', '--detach', '--json');
  expect(started.code, started.stderr).toBe(0);
  return (started.json() as { gateway: { url: string } }).gateway.url;
}

test('a host is drained: its streams end first, then its engines stop, and nobody starts them again', async () => {
  const { berth, spawn } = fleet.place;
  const url = await up();
  const before = await fleet.pids();
  const stream = await openStream(url);
  const drain = spawn('drain', 'local');
  await until(() => drain.output().stderr.includes('still serves 1 request; waiting'), 'the waiting');
  expect([await stream.next(), isRunning(before['a-0'] ?? 0)]).toEqual([true, true]);
  stream.leave();
  expect(await drain.exited).toBe(0);
  const said = drain.output().stdout;
  expect(said).toContain(`a (process ${before['a-0']})`);
  expect(said).toContain('No engine serves a, b now.');
  expect(said).toContain('"berth apply" starts again what the file names there');
  expect(await fleet.pids()).toEqual({ 'a-0': null, 'b-0': null });
  expect((await fleet.status()).gateway.state).toBe('serving');
  const { entries } = (await berth('journal', '--json')).json() as { entries: JournalEntry[] };
  expect(entries.filter((one) => one.command === 'drain').map((one) => one.outcome)).toEqual([
    'done',
    'done',
  ]);
  expect((await berth('apply')).code).toBe(0);
  expect((await openStream(url)).leave()).toBeUndefined();
});

test('an interrupted drain lets requests in again, and one that waits no longer cuts off and says so', async () => {
  const { berth, spawn } = fleet.place;
  const url = await up();
  const { 'a-0': pid = null } = await fleet.pids();
  const stream = await openStream(url);
  const drain = spawn('drain', 'local', '--only', 'a');
  await until(() => drain.output().stderr.includes('still serves 1 request; waiting'), 'the waiting');
  drain.child.kill('SIGINT');
  expect(await drain.exited).toBe(130);
  expect(drain.output().stderr).toContain('was not stopped and takes requests again');
  const other = await openStream(url);
  expect([await other.next(), isRunning(pid ?? 0)]).toEqual([true, true]);

  const cut = await berth('drain', 'local', '--only', 'a', '--wait', '0s', '--json');
  expect(cut.code, cut.stderr).toBe(0);
  expect(cut.stderr).toContain('still serves 2 requests, which are cut off');
  const { stopped, unserved } = cut.json() as { stopped: { deployment: string }[]; unserved: string[] };
  expect([stopped.map((one) => one.deployment), unserved]).toEqual([['a'], ['a']]);
  expect((await fleet.pids())['b-0']).not.toBeNull();
  stream.leave();
  other.leave();
});

test('while a drain waits others may change engines there: what crashes is started again, and leaves with the rest', async () => {
  const { berth, spawn } = fleet.place;
  const url = await up();
  const before = await fleet.pids();
  const stream = await openStream(url);
  const drain = spawn('drain', 'local');
  await until(() => drain.output().stderr.includes('still serves 1 request; waiting'), 'the waiting');
  process.kill(before['b-0'] ?? 0, 'SIGKILL');
  const again = await until(async () => {
    const now = (await fleet.pids())['b-0'];
    return now === before['b-0'] ? null : now;
  }, 'the crashed engine to be started again');
  expect((await berth('apply', '--only', 'b', '--restart', 'b', '--yes')).code).toBe(0);
  expect(isRunning(again)).toBe(false);
  expect(await stream.next()).toBe(true);
  stream.leave();
  expect(await drain.exited).toBe(0);
  expect(await fleet.pids()).toEqual({ 'a-0': null, 'b-0': null });
});

test('a host that the file does not name, and one with a protected engine, are refused before anything is touched', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: 'protect: true', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const before = await fleet.pids();
  const unknown = await berth('drain', 'nowhere');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('It has local.')]);
  const refused = await berth('drain', 'local');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('this would stop a.')]);
  expect(await fleet.pids()).toEqual(before);
  const named = await berth('drain', 'local', '--only', 'a');
  expect(named.code, named.stderr).toBe(0);
  expect(named.stderr).toContain('No gateway of this fleet runs here');
  expect(await fleet.pids()).toEqual({ ...before, 'a-0': null });
});
