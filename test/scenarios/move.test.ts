import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Option } from '../../src/fleet/relocate/option.ts';
import { keptPath } from '../../src/fleet/relocate/kept-text.ts';
import { tryLock } from '../../src/io/lock.ts';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

/** That a deployment really moves is shown on real hosts: test/hosts/move.live.test.ts. */

let place: Place;

beforeEach(() => {
  place = makePlace();
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  place.write(`version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  # stays as it is
  a: {engine: {kind: command, command: ${command}, stopGrace: 2s, startTimeout: 60s}} # eyes
  out: {engine: {kind: openai, url: "http://127.0.0.1:1"}}
`);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function file(): string {
  return readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
}

test('without --to the places are compared, by what each takes and frees, and nothing is changed', async () => {
  const before = file();
  expect((await place.berth('apply')).code).toBe(0);
  const ran = await place.berth('move', 'a', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const told = ran.json() as { now: string; gateway: boolean; options: Option[] };
  expect([told.now, told.gateway]).toEqual(['local/process', false]);
  expect(told.options.map((one) => one.name)).toEqual(['local/process', 'local/systemd', 'local/docker']);
  const [now, , docker] = told.options;
  expect([now?.now, now?.refusals, now?.plan?.actions.map((one) => one.do)]).toEqual([true, [], ['keep']]);
  // A command has no image, so that no container can be made of it.
  expect(docker?.plan).toBeNull();
  expect(docker?.refusals).toHaveLength(1);
  expect(file()).toBe(before);
});

test('what cannot be is refused with the file as it was', async () => {
  const before = file();
  const refused = await place.berth('move', 'a', '--to', 'docker');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('a cannot be brought to local/docker');
  expect((await place.berth('move', 'out')).stderr).toContain('it neither starts nor stops it');
  expect(file()).toBe(before);
});

/** What lies there once a move of `name` was killed, after the file had been written. */
function killed(name: string, before: string): void {
  const path = join(place.folder, 'berth.yaml');
  const written = createHash('sha256').update(file()).digest('hex');
  const head = `# The fleet file as it was before a change that berth has begun; what was written then: ${written}; by: move ${name}\n`;
  writeFileSync(keptPath(path), head + before);
}

test('a move that was broken off is gone on with or undone by itself alone: that of another one is refused', async () => {
  const before = file();
  place.write(before.replace('# eyes', '# moved'));
  killed('b', before);
  const moved = file();
  for (const args of [
    ['move', 'a', '--to', 'systemd', '--yes'],
    ['move', 'a', '--undo'],
    ['consolidate', '--here', '--yes'],
    ['consolidate', '--undo'],
  ]) {
    const refused = await place.berth(...args);
    expect(refused.code, refused.stdout).toBe(2);
    expect(refused.stderr).toContain('berth move b --undo');
    expect(file()).toBe(moved);
  }
  const looked = await place.berth('move', 'a');
  expect(looked.code, looked.stderr).toBe(0);
  expect(looked.stderr).toContain('was broken off');
  killed('a', before);
  const undone = await place.berth('move', 'a', '--undo');
  expect(undone.code, undone.stderr).toBe(0);
  expect(file()).toBe(before);
  expect(existsSync(keptPath(join(place.folder, 'berth.yaml')))).toBe(false);
});

test('while somebody changes the file, no other change of it begins, and nothing is taken for broken off', async () => {
  const before = file();
  place.write(before.replace('# eyes', '# moved'));
  killed('a', before);
  const moved = file();
  const lock = await tryLock(`edit ${join(place.folder, 'berth.yaml')}`, 'berth move a (process 7)');
  using _lock = lock;
  expect(lock).not.toBeNull();
  for (const args of [
    ['move', 'a', '--to', 'systemd', '--yes'],
    ['move', 'a', '--undo'],
  ]) {
    const refused = await place.berth(...args);
    expect(refused.code, refused.stdout).not.toBe(0);
    expect(refused.stderr).toContain('is held by berth move a (process 7)');
    expect(file()).toBe(moved);
  }
  const looked = await place.berth('move', 'a');
  expect(looked.code, looked.stderr).toBe(0);
  expect(looked.stderr).toContain('is being changed by berth move a (process 7)');
});
