import { copyFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Check, Verification } from '../../src/domain/verification.ts';
import { ownPorts } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

const toy = join(import.meta.dirname, '../../examples/quickstart/model/berth-toy.Q8_0.gguf');

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(() => fleet.close());

async function verify(...args: string[]): Promise<{ code: number | null; checks: readonly Check[] }> {
  const ran = await fleet.place.berth('verify', '--json', ...args);
  const { checks, passed } = ran.json() as Verification;
  expect(passed, ran.stdout).toBe(ran.code === 0);
  return { code: ran.code, checks };
}

function short(checks: readonly Check[]): string[] {
  return checks.map((one) => `${one.deployment} ${one.check} ${one.outcome}`);
}

function failed(checks: readonly Check[]): string[] {
  return checks.filter((one) => one.outcome === 'failed').map((one) => `${one.check}: ${one.evidence}`);
}

test('a fleet that serves passes: each engine and each name of a route is asked for a token, past the gateway and through it', async () => {
  const { berth } = fleet.place;
  const gateway = ', routes: {chat: {to: {a: 1, b: 1}, aliases: [other]}}';
  fleet.write({ a: '', b: '' }, { gateway, engines: { a: 'servedModel: fake' } });
  expect((await berth('up', '--detach')).code).toBe(0);
  const { code, checks } = await verify();
  expect(code).toBe(0);
  const perEngine = ['object', 'current', 'ready', 'answers', 'model'];
  expect(short(checks)).toEqual([
    ...['a', 'b'].flatMap((name) => perEngine.map((check) => `${name} ${check} passed`)),
    'a route passed',
    'b route passed',
    'a route passed',
    'a route passed',
  ]);
  expect(checks.filter((one) => one.check === 'route').map((one) => one.at)).toEqual(
    ['a', 'b', 'chat', 'other'].map((name) => `route ${name} (/v1/chat/completions)`),
  );
  const named = await verify('b');
  expect(named.checks.every((one) => one.deployment === 'b')).toBe(true);
  const unknown = await berth('verify', 'nobody');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('It has a, b.')]);
});

test('what does not answer, is not there or was started otherwise is told with its cure, and the exit code tells which', async () => {
  const { berth } = fleet.place;
  fleet.write({ a: '', b: '' });
  expect((await berth('apply', '--only', 'a')).code).toBe(0);
  const half = await verify();
  expect(half.code).toBe(6);
  expect(failed(half.checks)).toEqual([
    'object: is not there',
    'route: no gateway runs',
    'route: no gateway runs',
  ]);
  expect((await verify('a', '--direct')).code).toBe(0);

  fleet.write({ a: '', b: '' }, { slots: { a: 3 } });
  const outdated = await verify('a', '--direct');
  expect([outdated.code, failed(outdated.checks)]).toEqual([
    8,
    ['current: was started otherwise than the file says by now'],
  ]);
  fleet.write({ a: '', b: '' });
  process.kill((await fleet.pids())['a-0'] ?? 0, 'SIGSTOP');
  const silent = await verify('a', '--direct');
  expect([silent.code, failed(silent.checks)]).toEqual([6, ['ready: does not answer within 5 s']]);
  const text = (await berth('verify', 'a', '--direct')).stdout;
  expect(text).toContain('"berth apply --restart a" starts it anew.');
  process.kill((await fleet.pids())['a-0'] ?? 0, 'SIGCONT');
});

test('an engine that serves another model than the file names fails, by its name or by its file', async () => {
  const { berth, write, folder } = fleet.place;
  fleet.write({ a: '' }, { engines: { a: 'servedModel: big' } });
  expect((await berth('apply')).code).toBe(0);
  const other = await verify('--direct');
  expect([other.code, failed(other.checks)]).toEqual([8, ['model: serves fake, not big']]);
  expect((await berth('down')).code).toBe(0);

  const model = join(folder, 'model.gguf');
  copyFileSync(toy, model);
  write(`version: 1
fleet: lab
${ownPorts()}
models: {toy: {source: ./model.gguf}}
deployments:
  toy: {model: toy, engine: {kind: embedded, slots: 1, context: 512}}
`);
  expect((await berth('apply')).code).toBe(0);
  const good = await verify('--direct');
  expect([good.code, failed(good.checks)]).toEqual([0, []]);
  expect(good.checks.find((one) => one.check === 'model')?.evidence).toContain(`from ${model}`);
  // One that was pulled or copied just before: the kernel tells a start up to a second early.
  const since = good.checks.find((one) => one.check === 'object')?.evidence.replace('runs since ', '') ?? '';
  function changedAfter(ms: number): void {
    const at = new Date(Date.parse(since) + ms);
    utimesSync(model, at, at);
  }
  changedAfter(900);
  expect(failed((await verify('--direct')).checks)).toEqual([]);
  changedAfter(1_100);
  const changed = await verify('--direct');
  expect(changed.code).toBe(8);
  expect(failed(changed.checks)).toEqual([expect.stringContaining('has changed since it was started')]);
});
