import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { freePorts, isRunning, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

test('the exit code of a plan tells whether there is something to do, where that is asked for', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '' });
  expect((await berth('plan')).code).toBe(0);
  expect((await berth('plan', '--exit-code')).code).toBe(9);
  expect((await berth('apply')).code).toBe(0);
  expect((await berth('plan', '--exit-code')).code).toBe(0);
  fleet.write({ a: '' }, { slots: { a: 3 } });
  const changed = await berth('plan', '--exit-code', '--json');
  expect([changed.code, (changed.json() as Plan).actions[0]?.do]).toEqual([9, 'replace']);
  fleet.write({});
  expect((await berth('plan', '--exit-code')).code).toBe(9);
});

test('a plan of some deployments changes those alone, and says what it leaves out', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '', b: '', gone: '' });
  expect((await berth('apply')).code).toBe(0);
  const before = await fleet.pids();
  fleet.write({ a: '', b: '', c: '' }, { slots: { a: 3, b: 3 } });
  const plan = (await berth('plan', '--only', 'a', '--json')).json() as Plan;
  expect(plan.actions.map((one) => [one.deployment, one.do])).toEqual([['a', 'replace']]);
  expect(plan.leftOut?.map((one) => `${one.do} ${one.deployment}`)).toEqual([
    'stop gone',
    'replace b',
    'start c',
  ]);
  const applied = await berth('apply', '--only', 'a');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect(applied.stderr).toContain('Left out by --only: stop gone, replace b, start c.');
  const after = await fleet.pids();
  expect(after['a-0']).not.toBe(before['a-0']);
  expect([after['b-0'], after['c-0']]).toEqual([before['b-0'], null]);
  expect(isRunning(before['gone-0'] ?? 0)).toBe(true);

  expect((await berth('apply', '--only', 'gone')).stdout).toContain('stop gone');
  expect(isRunning(before['gone-0'] ?? 0)).toBe(false);
  const unknown = await berth('plan', '--only', 'nobody');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('It has a, b, c.')]);
});

test('a fault of a deployment that is not named is told and keeps nobody from changing the others', async () => {
  const { berth, write } = fleet.place;
  write('', 'm.gguf');
  async function planned(binary: string): Promise<Plan> {
    const broken = `  broken: {engine: {kind: llama.cpp, binary: ${binary}}, model: m}`;
    fleet.write({ a: '' }, { top: `${broken}\nmodels: {m: {source: ./m.gguf}}` });
    expect((await berth('apply')).code).not.toBe(0);
    return (await berth('plan', '--only', 'a', '--json')).json();
  }
  expect((await planned('no-such-program')).leftOut).toEqual([
    expect.objectContaining({ do: 'start', deployment: 'broken' }),
  ]);
  // A program that has none of the flags that it would be given.
  expect((await planned('node')).findings.map((one) => one.rule)).toContain('left-out-unknown');
  expect((await berth('apply', '--only', 'a')).code).toBe(0);
  expect((await fleet.status()).deployments[0]?.replicas[0]?.state).toBe('ready');
});

test('a port that a deployment left out still has is told with its name, before anything is touched', async () => {
  const { berth } = fleet.place;
  const [first = 0, second = 0] = await freePorts(2);
  fleet.write({ a: `port: ${first}` });
  expect((await berth('apply')).code).toBe(0);
  const before = await fleet.pids();
  fleet.write({ a: `port: ${second}`, b: `port: ${first}` });
  const refused = await berth('apply', '--only', 'b');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`b is to have port ${first}, which a still has`);
  expect(refused.stderr).toContain('name a with --only too');
  expect(await fleet.pids()).toEqual({ ...before, 'b-0': null });
  expect((await berth('apply', '--only', 'a', 'b')).code).toBe(0);
});

test('a kept plan of some deployments stands while others change, and cannot be narrowed afterwards', async () => {
  const { berth } = fleet.place;
  const [first = 0, second = 0] = await freePorts(2);
  fleet.write({ a: `port: ${first}`, b: `port: ${second}` });
  expect((await berth('apply')).code).toBe(0);
  expect((await berth('plan', '--only', 'a', '--restart', 'a', '--out', 'plan.json')).code).toBe(0);
  const narrowed = await berth('apply', 'plan.json', '--only', 'a');
  expect([narrowed.code, narrowed.stderr]).toEqual([2, expect.stringContaining('--only cannot change it')]);
  expect((await berth('apply', '--restart', 'b')).code).toBe(0);
  const kept = await berth('apply', 'plan.json');
  expect([kept.code, kept.stdout.trim()]).toEqual([0, 'Done: replace a.']);
  expect((await berth('apply', 'plan.json')).stderr).toContain('The plan is stale: process');
});

test('down of one deployment leaves the others, gateway and console, and nobody starts it again', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '', b: '' });
  expect((await berth('up', '--detach')).code).toBe(0);
  const before = await fleet.pids();
  const ended = await berth('down', '--only', 'a');
  expect([ended.code, ended.stdout]).toEqual([
    0,
    expect.stringContaining(`Stopped: a (${before['a-0']}). "berth apply" starts again`),
  ]);
  const { gateway } = await fleet.status();
  expect(gateway.state).toBe('serving');
  const ask = { method: 'POST', headers: { 'content-type': 'application/json' } };
  async function answer(model: string): Promise<number> {
    const body = JSON.stringify({ model, messages: [] });
    return (await fetch(`${gateway.url}/v1/chat/completions`, { ...ask, body })).status;
  }
  expect([await answer('b'), await answer('a')]).toEqual([200, 503]);
  expect(await fleet.pids()).toEqual({ 'a-0': null, 'b-0': before['b-0'] });
  expect((await berth('apply')).code).toBe(0);
  await until(async () => (await answer('a')) === 200, 'a to be served again');
});
