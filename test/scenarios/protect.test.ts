import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { isRunning } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(async () => {
  await fleet.place.berth('down', '--only', 'a');
  await fleet.close();
});

test('a protected engine is replaced and stopped only when it is named, and the cure says how', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: 'protect: true', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const before = await fleet.pids();

  fleet.write({ a: 'protect: true', b: '' }, { slots: { a: 3, b: 3 } });
  const plan = await berth('plan', '--json');
  const { actions, held, findings } = plan.json() as Plan;
  expect(actions.map((one) => `${one.do} ${one.deployment}`)).toEqual(['keep a', 'replace b']);
  expect(held?.map((one) => one.reasons[0]?.text)).toEqual(['engine.slots: 2 → 3']);
  expect(findings.map((one) => one.rule)).toContain('protected');
  const refused = await berth('apply');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('a is protected, and this would replace a. Nothing was done.');
  expect(refused.stderr).toContain('name it: --only a.');
  expect(await fleet.pids()).toEqual(before);

  expect((await berth('apply', '--only', 'b')).code).toBe(0);
  const changed = await fleet.pids();
  expect([changed['a-0'], changed['b-0'] === before['b-0']]).toEqual([before['a-0'], false]);
  expect((await berth('apply', '--only', 'a')).stdout).toContain('Done: replace a.');
  expect((await fleet.pids())['a-0']).not.toBe(before['a-0']);
});

test('an engine that was started as protected is not stopped when the file has lost it', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: 'protect: true', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const pid = (await fleet.pids())['a-0'] ?? 0;
  fleet.write({ b: '' });
  const refused = await berth('apply');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('this would stop a.')]);
  expect(isRunning(pid)).toBe(true);
  expect((await berth('apply', '--only', 'a')).stdout).toContain('stop a');
  expect(isRunning(pid)).toBe(false);
});

test('down of a fleet with a protected engine does nothing until that is named, and up goes on around it', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: 'protect: true', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const { 'a-0': a = null, 'b-0': b = null } = await fleet.pids();
  fleet.write({ a: 'protect: true', b: '' }, { slots: { a: 3 } });
  const up = await berth('up', '--detach');
  expect(up.code, up.stderr).toBe(0);
  const refused = await berth('down');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('this would stop a.')]);
  expect([isRunning(a ?? 0), isRunning(b ?? 0)]).toEqual([true, true]);
  expect((await fleet.status()).gateway.state).toBe('serving');
  expect((await berth('down', '--only', 'a')).code).toBe(0);
  expect((await berth('down')).code).toBe(0);
  expect([isRunning(a ?? 0), isRunning(b ?? 0)]).toEqual([false, false]);
});
