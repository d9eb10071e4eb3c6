import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Finding } from '../../../src/domain/finding.ts';
import { isRunning } from '../../support/berth.ts';
import { makeFakeFleet } from '../../support/fake-fleet.ts';
import type { FakeFleet } from '../../support/fake-fleet.ts';
import { createFakes, freePort } from '../scan/fakes.ts';

vi.setConfig({ testTimeout: 300_000 });

interface Fixed {
  readonly done: readonly { do: string; deployment: string }[];
  readonly fixed: readonly Finding[];
  readonly left: readonly { finding: Finding; why: string }[];
}

let fleet: FakeFleet;

beforeEach(() => {
  fleet = makeFakeFleet();
});

afterEach(async () => {
  await fleet.place.berth('down', '--only', 'kept');
  await fleet.close();
});

test('--fix plans what is of the fleet alone, asks, carries it out, and says of the rest why it is left', async () => {
  using fakes = createFakes();
  const { berth } = fleet.place;
  const model = join(fakes.dir, 'by-hand.gguf');
  writeFileSync(model, 'not read');
  const byHand = await fakes.start([
    fakes.program('llama-server'),
    '-m',
    model,
    '--port',
    String(await freePort()),
  ]);
  fleet.write({ a: '', gone: '', kept: 'protect: true' });
  expect((await berth('apply')).code).toBe(0);
  const before = await fleet.pids();

  fleet.write({ a: '', new: '', kept: 'protect: true' }, { slots: { a: 3, kept: 3 } });
  const asked = await berth('audit', '--fix', '--timeout', '8s');
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes carries the plan out')]);
  expect(asked.stderr).toContain('new [not-running]: new is made as the file says.');
  const still = await fleet.pids();
  expect([still['a-0'], still['kept-0']]).toEqual([before['a-0'], before['kept-0']]);
  expect(isRunning(before['gone-0'] ?? 0)).toBe(true);

  const fixed = await berth('audit', '--fix', '--yes', '--json', '--timeout', '8s');
  const result = fixed.json() as Fixed;
  const done = result.done.filter((one) => one.do !== 'keep').map((one) => `${one.do} ${one.deployment}`);
  expect(done.toSorted()).toEqual(['replace a', 'start new', 'stop gone']);
  expect(result.fixed.map((one) => one.rule).toSorted()).toEqual(['drift', 'not-in-file', 'not-running']);
  const after = await fleet.pids();
  expect(after['a-0']).not.toBe(before['a-0']);
  expect(after['kept-0']).toBe(before['kept-0']);
  expect(isRunning(before['gone-0'] ?? 0)).toBe(false);
  expect(isRunning(byHand.pid)).toBe(true);
  const kept = result.left.find(({ finding }) => finding.object === 'kept-0');
  expect(kept?.why).toBe('kept is protected: "berth apply --only kept" names it.');
  const foreign = result.left.find(
    ({ finding }) => finding.rule === 'unmanaged' && finding.object.includes('by-hand'),
  );
  expect(foreign?.why).toContain('does not carry the mark of');

  fleet.write({ a: '', new: '', kept: 'protect: true' }, { slots: { a: 3 } });
  const again = (await berth('audit', '--fix', '--yes', '--json', '--timeout', '8s')).json() as Fixed;
  expect(again.fixed).toEqual([]);
});

test('--fix puts right what it sees itself: no recording, and nothing without a fleet file', async () => {
  using fakes = createFakes();
  const { berth } = fleet.place;
  expect((await berth('audit', '--fix', '--from', 'seen.json')).code).toBe(2);
  const model = join(fakes.dir, 'by-hand.gguf');
  writeFileSync(model, 'not read');
  const port = String(await freePort());
  const { pid } = await fakes.start([fakes.program('llama-server'), '-m', model, '--port', port]);
  const alone = await berth('audit', '--fix', '--yes', '--timeout', '8s');
  expect(alone.stdout).toContain('No plan puts any of it right.');
  expect(alone.stderr).toContain('There is no fleet file, and berth changes only what one describes.');
  expect(isRunning(pid)).toBe(true);
});
