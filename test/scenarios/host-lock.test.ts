import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeHostLock } from '../../src/fleet/apply/host-locks.ts';
import { hostLock } from '../../src/fleet/file/paths.ts';
import { keptPath } from '../../src/fleet/relocate/kept-text.ts';
import { localLocks, tryLock } from '../../src/io/lock.ts';
import { placesOf } from '../../src/io/places.ts';
import { localWorld } from '../../src/io/local-world.ts';
import type { World } from '../../src/io/world.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, isRunning, makePlace, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { Place, Running } from '../support/berth.ts';

const fleet = `version: 1
fleet: lab
deployments:
  a: {engine: {kind: command, command: ["true", "{port}"]}}
`;

/** That of another user, or of the same one from cron, where no login has made a folder. */
function worldOf(home: string, stateDir?: string): World {
  const places = placesOf({ HOME: home }, stateDir);
  return { ...localWorld(), places, locks: localLocks(join(places.runtime, 'locks')) };
}

test('two users of a machine, or one of two logins, do not change it at once', async () => {
  const [alice, bob] = [worldOf('/home/alice'), worldOf('/home/bob')];
  expect(hostLock(bob)).toBe(hostLock(alice));
  const patient = { who: 'berth apply of fleet lab', onProgress: () => {}, waitMs: 100_000 };
  using _held = await takeHostLock(alice, patient);
  await expect(takeHostLock(bob, { ...patient, waitMs: 0 })).rejects.toMatchObject({ code: 'LOCKED' });
});

test('what is kept apart waits for nobody else, and for its own', async () => {
  const place = makePlace();
  onTestFinished(() => place.close());
  place.write(fleet);
  const own = worldOf(place.folder, place.env['BERTH_STATE_DIR']);
  expect(hostLock(own)).not.toBe(hostLock(worldOf(place.folder)));
  const lock = await tryLock(hostLock(own), 'berth apply of fleet other (process 1)');
  const applied = place.spawn('apply');
  try {
    const waiting = 'Waiting for berth apply of fleet other (process 1)';
    await until(() => applied.output().stderr.includes(waiting), 'apply to wait');
  } finally {
    lock?.release();
  }
});

/** Its minutes pass in moments. */
function inHaste(world: World): World {
  return { ...world, clock: { ...world.clock, now: () => world.clock.now() * 10_000 } };
}

test('whoever goes on with its work is waited for, however long that takes, and is told again from time to time', async () => {
  const world = inHaste(worldOf('/home/alice', join('/tmp', randomUUID())));
  const held = await tryLock(hostLock(world), 'berth apply of fleet slow (process 7)');
  const lines: string[] = [];
  const waiting = takeHostLock(world, { who: 'berth up', onProgress: (line) => lines.push(line) });
  await until(() => lines.length > 2, 'it to be told three times');
  held?.release();
  (await waiting).release();
  expect(lines[0]).toBe('Waiting for berth apply of fleet slow (process 7)');
  expect(lines[2]).toMatch(/^Still waiting for berth apply of fleet slow \(process 7\), for \d+ min by now$/);
});

test('of several who wait for one, none fills the screen of another', async () => {
  const world = worldOf('/home/alice', join('/tmp', randomUUID()));
  let looks = 0;
  const locks = {
    take: (name: string, info: string) => (looks > 6 ? tryLock(name, info) : Promise.resolve(null)),
    holder: () => {
      looks += 1;
      return Promise.resolve({ text: looks % 2 === 0 ? 'another who waits' : 'berth apply', lives: true });
    },
  };
  const lines: string[] = [];
  function onProgress(line: string): void {
    lines.push(line);
  }
  (await takeHostLock({ ...world, locks }, { who: 'berth up', onProgress })).release();
  expect(lines).toEqual(['Waiting for berth apply', 'Waiting for another who waits']);
});

/** An apply of this place that has the lock and waits for its engine until the file "gate" is there. */
async function appliesSlowly(place: Place): Promise<Running> {
  const command = JSON.stringify([
    process.execPath,
    fakeEngine,
    '{port}',
    '--gate',
    join(place.folder, 'gate'),
  ]);
  place.write(`version: 1\nfleet: lab\ndeployments:\n  a: {engine: {kind: command, command: ${command}}}\n`);
  const applied = place.spawn('apply');
  await until(() => applied.output().stderr.includes('Starting a'), 'the engine to be started');
  return applied;
}

test('whoever stands still is waited for no longer, is named, and one that is killed holds nothing', async () => {
  const place = makePlace();
  onTestFinished(() => place.close());
  const own = worldOf(place.folder, place.env['BERTH_STATE_DIR']);
  const applied = await appliesSlowly(place);
  const taker = { who: 'berth up', onProgress: () => {}, standstillMs: 2_000 };
  applied.child.kill('SIGSTOP');
  await expect(takeHostLock(own, taker)).rejects.toMatchObject({
    code: 'LOCKED',
    facts: { holder: expect.stringContaining(`process ${applied.pid} (`) as string },
  });
  applied.child.kill('SIGKILL');
  await applied.exited;
  (await takeHostLock(own, taker)).release();
});

test('a wait for another one ends with an interrupt', async () => {
  const { place, free } = await heldPlace();
  const applied = place.spawn('apply');
  await waits(applied);
  applied.child.kill('SIGINT');
  expect(await applied.exited).toBe(130);
  free();
  expect((await place.berth('status', '--check')).code).toBe(6);
});

test('up in the background tells whom it waits for', async () => {
  const { place, free } = await heldPlace();
  const up = place.spawn('up', '--detach');
  await waits(up);
  free();
  expect(await up.exited, up.output().stderr).toBe(0);
});

/** A fleet whose changes wait for a lock that the test holds. */
async function heldPlace(): Promise<{ place: Place; free: () => void }> {
  const place = makePlace();
  onTestFinished(async () => {
    await place.berth('down');
    await place.close();
  });
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  const doors = 'gateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\n';
  place.write(
    `version: 1\nfleet: lab\n${doors}deployments:\n  a: {engine: {kind: command, command: ${command}}}\n`,
  );
  const own = worldOf(place.folder, place.env['BERTH_STATE_DIR']);
  const lock = await tryLock(hostLock(own), 'berth apply of fleet other (process 1)');
  return { place, free: () => lock?.release() };
}

function waits({ output }: Running): Promise<boolean> {
  return until(() => output().stderr.includes('Waiting for '), 'it to wait');
}

test('of two who apply at once the second plans anew, and finds all done', async () => {
  const { place, free } = await heldPlace();
  const both = [place.spawn('apply'), place.spawn('apply')];
  await Promise.all(both.map(waits));
  free();
  expect(await Promise.all(both.map(({ exited }) => exited))).toEqual([0, 0]);
  const said = both.map(({ output }) => output());
  expect(said.map(({ stdout }) => stdout.trim()).toSorted()).toEqual([
    'Done: start a.',
    'Nothing had to be done.',
  ]);
  expect(said.filter(({ stderr }) => /The plan is stale: .* By now it is:/.test(stderr))).toHaveLength(1);
});

/** Starts a command that waits for the lock, and ends an engine meanwhile. */
async function overtaken(place: Place, pid: number, args: readonly string[]): Promise<string> {
  const own = worldOf(place.folder, place.env['BERTH_STATE_DIR']);
  const lock = await tryLock(hostLock(own), 'berth apply of fleet other (process 1)');
  const ran = place.spawn(...args);
  try {
    await until(() => ran.output().stderr.includes('Waiting for '), 'it to wait', 60_000);
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid), 'the engine to end');
  } finally {
    lock?.release();
  }
  await ran.exited;
  return ran.output().stderr;
}

test('audit --fix that was overtaken plans anew and shows that', async () => {
  const fleet = makeFakeFleet();
  onTestFinished(fleet.close);
  fleet.write({ a: '' });
  expect((await fleet.place.berth('apply')).code).toBe(0);
  const { 'a-0': pid } = await fleet.pids();
  fleet.write({ a: '' }, { slots: { a: 3 } });
  const said = await overtaken(fleet.place, pid ?? 0, ['audit', '--fix', '--yes', '--timeout', '8s']);
  expect(said).toMatch(/The plan is stale: .* By now it is:\n[^]*\+ a  start/);
  expect((await fleet.pids())['a-0']).toBeGreaterThan(0);
}, 120_000);

test('a change of the fleet file that was overtaken plans anew and shows that', async () => {
  const fleet = makeFakeFleet();
  onTestFinished(fleet.close);
  await makeModel(localFiles, {
    size: '1M',
    type: 'q8_0',
    seed: 1,
    path: join(fleet.place.folder, 'm.gguf'),
  });
  const embedded = 'engine: {kind: embedded, context: 128, slots:';
  fleet.write({});
  const empty = readFileSync(join(fleet.place.folder, 'berth.yaml'), 'utf8');
  fleet.place.write(
    empty.replace(
      'deployments: {}',
      `models: {m: {source: ./m.gguf}}\ndeployments:\n  fast: {model: m, ${embedded} 2}}\n  slow: {model: m, ${embedded} 1}}`,
    ),
  );
  expect((await fleet.place.berth('apply')).code).toBe(0);
  const { 'slow-0': pid } = await fleet.pids();
  const said = await overtaken(fleet.place, pid ?? 0, ['consolidate', '--here', '--yes']);
  expect(said).toMatch(/The plan is stale: .* By now it is:\n[^]*= fast  keep/);
}, 120_000);

test('an undo that was overtaken plans anew, and brings back what was', async () => {
  const fleet = makeFakeFleet();
  onTestFinished(fleet.close);
  fleet.write({ a: '' });
  expect((await fleet.place.berth('apply')).code).toBe(0);
  const { 'a-0': pid } = await fleet.pids();
  // What lies there once a move was killed.
  const path = join(fleet.place.folder, 'berth.yaml');
  const before = readFileSync(path, 'utf8');
  fleet.place.write(`${before}\n# moved\n`);
  const written = createHash('sha256').update(readFileSync(path)).digest('hex');
  const head = `# The fleet file as it was before a change that berth has begun; what was written then: ${written}; by: move a\n`;
  writeFileSync(keptPath(path), head + before);
  const said = await overtaken(fleet.place, pid ?? 0, ['move', 'a', '--undo']);
  expect(said).toMatch(/The plan is stale: .* By now it is:\n[^]*\+ a  start/);
  expect(readFileSync(path, 'utf8')).toBe(before);
  expect((await fleet.pids())['a-0']).toBeGreaterThan(0);
  expect(existsSync(keptPath(path))).toBe(false);
}, 120_000);

test('up that had to wait for an apply takes over what that has started', async () => {
  const { place, free } = await heldPlace();
  const [up, applied] = [place.spawn('up'), place.spawn('apply')];
  await Promise.all([up, applied].map(waits));
  free();
  expect(await applied.exited).toBe(0);
  await until(() => up.output().stdout.includes('Fleet lab is up.'), 'the fleet to be up');
});
