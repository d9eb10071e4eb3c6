import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import type { Verification } from '../../src/domain/verification.ts';
import { runBerth } from '../crash/machine.ts';
import { processMachine } from '../crash/process-machine.ts';
import { freePorts, isRunning, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

/** The engine is to be another, and that apply is killed once it has asked the old one to end, which takes that its time. */
async function killOverEnd(port: number, lateMs: number): Promise<number> {
  const { place } = fleet;
  const modes = { a: ['--late', String(lateMs)] };
  fleet.write({ a: `port: ${port}` }, { modes });
  expect((await place.berth('apply')).code).toBe(0);
  const old = (await fleet.pids())['a-0'] ?? 0;
  fleet.write({ a: `port: ${port}` }, { modes, slots: { a: 3 } });
  const { killed } = await runBerth(processMachine(place.folder), ['apply', '--yes'], {
    log: join(place.folder, 'effects.log'),
    moment: { effect: 0, kind: 'end a process', when: 'after' },
  });
  expect(killed).toBe(true);
  expect(isRunning(old)).toBe(true);
  fleet.write({ a: `port: ${port}` }, { modes });
  return old;
}

test('an engine that a killed apply had asked to end is not counted on, though it still runs as the file says', async () => {
  const [port = 0] = await freePorts(1);
  const old = await killOverEnd(port, 60_000);
  const planned = (await fleet.place.berth('plan', '--json')).json() as Plan;
  expect(planned.actions).toMatchObject([
    { do: 'replace', deployment: 'a', reasons: [{ field: null, text: expect.stringMatching(/was killed/) }] },
  ]);
  const ran = await fleet.place.berth('apply');
  expect(ran.code, ran.stderr).toBe(0);
  expect(isRunning(old)).toBe(false);
  const now = (await fleet.pids())['a-0'];
  expect(now).not.toBe(old);
  const again = (await fleet.place.berth('plan', '--json')).json() as Plan;
  expect(again.actions.map((action) => action.do)).toEqual(['keep']);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
});

test('one that has ended by then is started as any other', async () => {
  const [port = 0] = await freePorts(1);
  const old = await killOverEnd(port, 500);
  await until(() => !isRunning(old), 'the old engine to end');
  const planned = (await fleet.place.berth('plan', '--json')).json() as Plan;
  expect(planned.actions.map((action) => action.do)).toEqual(['start']);
  expect((await fleet.place.berth('apply')).code).toBe(0);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
});

test('status tells what a killed apply had asked to end, and what a command ends at this moment', async () => {
  const [port = 0] = await freePorts(1);
  await killOverEnd(port, 60_000);
  async function told(): Promise<[string | undefined, string[]]> {
    const { deployments, findings } = await fleet.status();
    return [deployments[0]?.replicas[0]?.state, findings.map(({ rule }) => rule)];
  }
  expect(await told()).toEqual(['ending', expect.arrayContaining(['end-cut-off'])]);
  const text = await fleet.place.berth('status');
  expect(text.stdout).toMatch(/^a +command +ending/m);
  expect((await fleet.place.berth('status', '--check')).code).toBe(6);
  const { checks } = (await fleet.place.berth('verify', '--direct', '--json')).json() as Verification;
  expect(checks.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)).toEqual(['object']);

  // The grace that it is given: 2 s.
  const stopping = fleet.place.spawn('stop', 'a');
  const seen = await until(async () => {
    const [state, rules] = await told();
    return rules.includes('end-cut-off') ? null : [state];
  }, 'the other command to be at it');
  expect(seen).toEqual(['ending']);
  expect(await stopping.exited).toBe(0);
  expect((await told())[0]).toBe('stopped');
});

test('a new engine that never answered and whose removal was cut off is not counted on by the next apply', async () => {
  const [port = 0] = await freePorts(1);
  const { place } = fleet;
  const gate = join(place.folder, 'ready');
  fleet.write({ a: `port: ${port}` }, { modes: { a: ['--gate', gate, '60000'] }, startTimeout: '3s' });
  const { killed } = await runBerth(processMachine(place.folder), ['apply', '--yes'], {
    log: join(place.folder, 'effects.log'),
    moment: { effect: 0, kind: 'end a process', when: 'after' },
  });
  expect(killed).toBe(true);
  const left = (await fleet.pids())['a-0'] ?? 0;
  expect(isRunning(left)).toBe(true);
  // It would answer by now, until it ends.
  place.write('', 'ready');
  const ran = await place.berth('apply');
  expect(ran.code, ran.stderr).toBe(0);
  expect(isRunning(left)).toBe(false);
  expect((await fleet.status()).deployments[0]?.replicas[0]?.state).toBe('ready');
});
