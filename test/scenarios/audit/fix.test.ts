import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Finding } from '../../../src/domain/finding.ts';
import { hostLock } from '../../../src/fleet/file/paths.ts';
import { tryLock } from '../../../src/io/lock.ts';
import { placesOf } from '../../../src/io/places.ts';
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

test('--fix takes from others the right to read a secret of the fleet, says the undo, and leaves files of others', async () => {
  using fakes = createFakes();
  const { berth, folder } = fleet.place;
  const [own, other] = [join(folder, 'own key'), join(fakes.dir, 'other-key')];
  for (const path of [own, other]) {
    writeFileSync(path, 'sk-hidden');
    chmodSync(path, 0o644);
  }
  for (const path of [folder, fakes.dir]) chmodSync(path, 0o755);
  const model = join(fakes.dir, 'by-hand.gguf');
  writeFileSync(model, 'not read');
  const port = String(await freePort());
  const program = fakes.program('llama-server');
  await fakes.start([program, '-m', model, '--port', port, '--api-key-file', other]);
  fleet.write({ a: '' }, { modes: { a: ['--api-key-file', own] } });
  expect((await berth('apply')).code).toBe(0);
  const { 'a-0': pid } = await fleet.pids();

  const asked = await berth('audit', '--fix', '--timeout', '8s');
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes carries it out')]);
  expect(asked.stderr).toContain(`${own} can no longer be read by all (644 → 640).`);
  expect(statSync(own).mode & 0o777).toBe(0o644);

  const fixed = await berth('audit', '--fix', '--yes', '--json', '--timeout', '8s');
  const result = fixed.json() as Fixed & { closed: { path: string; undo: string }[] };
  expect(result.closed).toMatchObject([
    { path: own, before: '644', after: '640', undo: `chmod 644 '${own}'` },
  ]);
  expect(result.fixed.map((one) => one.rule)).toEqual(['open-secret-file']);
  expect([own, other].map((path) => statSync(path).mode & 0o777)).toEqual([0o640, 0o644]);
  const left = result.left.filter(({ finding }) => finding.rule === 'open-secret-file');
  expect(left.map(({ why }) => why)).toEqual([expect.stringContaining('Its server is not of the fleet')]);
  expect((await fleet.pids())['a-0']).toBe(pid);
  const { entries } = (await berth('journal', '--json')).json() as {
    entries: { do: string; object: string; outcome: string }[];
  };
  expect(entries.filter((one) => one.do === 'close file')).toMatchObject([{ object: own, outcome: 'done' }]);
});

const noTerminal = spawnSync('script', ['--version']).status !== 0;

/** Runs berth at a terminal of its own; `say` is given all of its output so far, and what it gives is typed. */
async function atTerminal(args: readonly string[], say: (text: string) => string | null): Promise<string> {
  const { env, folder } = fleet.place;
  const bin = join(import.meta.dirname, '../../../bin/berth.js');
  const words = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', words, '/dev/null'], { cwd: folder, env });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const answer = say(text);
    if (answer !== null) child.stdin.write(`${answer}\n`);
  });
  await new Promise((done) => child.on('close', done));
  return text;
}

test.skipIf(noTerminal)(
  'whoever does not agree to a plan that was made anew is told what was done before',
  async () => {
    const { berth, folder, env } = fleet.place;
    const key = join(folder, 'own-key');
    writeFileSync(key, 'sk-hidden');
    chmodSync(key, 0o644);
    chmodSync(folder, 0o755);
    const modes = { a: ['--api-key-file', key] };
    fleet.write({ a: '', b: '' }, { modes });
    expect((await berth('apply')).code).toBe(0);
    const { 'b-0': pid } = await fleet.pids();
    fleet.write({ a: '', b: '' }, { modes, slots: { b: 3 } });
    const places = placesOf({ HOME: folder }, env['BERTH_STATE_DIR']);
    const lock = await tryLock(hostLock({ places }), 'berth apply of fleet other (process 1)');
    let asked = 0;
    let overtaken = false;
    const said = await atTerminal(['audit', '--fix', '--timeout', '8s'], (text) => {
      if (text.includes('Waiting for') && !overtaken) {
        overtaken = true;
        process.kill(pid ?? 0, 'SIGKILL');
        lock?.release();
      }
      if (text.split('[y/N]').length - 1 === asked) return null;
      asked += 1;
      return asked === 1 ? 'y' : 'n';
    });
    expect(statSync(key).mode & 0o777).toBe(0o640);
    expect(asked).toBe(2);
    expect(said).toMatch(/Nothing more was done: .*own-key can no longer be read by all/);
    expect(said).not.toContain('Nothing was done.');
    expect((await fleet.pids())['b-0']).toBeNull();
  },
);

const asOthers = process.getuid?.() === 0;

/** Processes of another user that read a file without naming it on their command line. */
const readers = {
  'has it open': (path: string) => {
    const file = openSync(path, 'r');
    const reader = spawn('sleep', ['1000'], { uid: 65_534, stdio: [file, 'ignore', 'ignore'] });
    closeSync(file);
    return reader;
  },
  'has it in a variable': (path: string) =>
    spawn('sleep', ['1000'], {
      uid: 65_534,
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', KEY_FILE: path },
    }),
};

test.skipIf(!asOthers).each(Object.entries(readers))(
  `--fix leaves a secret of the fleet that a process of another user %s${asOthers ? '' : ' (skipped: needs root)'}`,
  async (_, start) => {
    const { berth, folder } = fleet.place;
    const own = join(folder, 'own [key]');
    writeFileSync(own, 'sk-hidden');
    chmodSync(own, 0o644);
    chmodSync(folder, 0o755);
    fleet.write({ a: '' }, { modes: { a: ['--api-key-file', own] } });
    expect((await berth('apply')).code).toBe(0);
    const reader = start(own);
    try {
      const { left } = (await berth('audit', '--fix', '--yes', '--json', '--timeout', '8s')).json() as Fixed;
      const why = left.filter(({ finding }) => finding.rule === 'open-secret-file').map((one) => one.why);
      expect(why).toEqual([expect.stringContaining(`Process ${reader.pid} of another user`)]);
      expect(statSync(own).mode & 0o777).toBe(0o644);
    } finally {
      reader.kill('SIGKILL');
    }
  },
);
