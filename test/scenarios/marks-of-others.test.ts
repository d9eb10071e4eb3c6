import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, freePorts, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 240_000 });

const nobody = 65_534;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
const isRoot = process.getuid?.() === 0;

let fleet: FakeFleet;
let stranger: ChildProcess | null = null;

beforeEach(() => {
  fleet = makeFakeFleet();
  chmodSync(fleet.place.folder, 0o755);
});
afterEach(async () => {
  stranger?.kill('SIGKILL');
  stranger = null;
  await fleet.close();
});

async function planned(): Promise<Plan> {
  return (await fleet.place.berth('plan', '--json')).json();
}

async function done(): Promise<string[]> {
  return (await planned()).actions.map((action) => action.do);
}

async function status(...flags: string[]): Promise<FleetStatus> {
  return (await fleet.place.berth('status', '--json', ...flags)).json();
}

async function pidOf(...flags: string[]): Promise<number | null> {
  return (await status(...flags)).deployments[0]?.replicas[0]?.pid ?? null;
}

function markOf(pid: number): string {
  const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  return environ.find((one) => one.startsWith('BERTH_MARK='))?.slice('BERTH_MARK='.length) ?? '';
}

/** The same mark with a program that leaves a file. */
function forged(text: string, owned: string): string {
  const mark = JSON.parse(text) as { spec: object };
  const spec = { ...mark.spec, program: { binary: '/bin/sh' }, args: ['-c', `touch '${owned}'; sleep 9`] };
  return JSON.stringify({ ...mark, spec });
}

/** A fleet of one engine with this command. */
function write(command: readonly string[]): void {
  fleet.write({}, { top: '' });
  const text = readFileSync(join(fleet.place.folder, 'berth.yaml'), 'utf8');
  const line = `deployments:\n  a: {engine: {kind: command, command: ${JSON.stringify(command)}, startTimeout: 20s}}`;
  fleet.place.write(text.replace('deployments: {}', line));
}

function notBelieved(uid: number, pid: number): object {
  return expect.objectContaining({
    rule: 'mark-not-believed',
    message: expect.stringContaining(`user ${uid} `) as string,
    evidence: [`process ${pid}`],
  });
}

test.skipIf(!isRoot).each([
  { whose: 'another user, with the log of the engine, in a folder of theirs, as its output', uid: nobody },
  { whose: "root, as anybody's sudo is, with the variables of who called it", uid: 0 },
])(
  'a mark that root has not written is not believed of a process of $whose: nothing that it says is started, it is left alone and told',
  async ({ uid }) => {
    const [port = 0] = await freePorts(1);
    fleet.write({ a: `port: ${port}` });
    const { berth, folder } = fleet.place;
    expect((await berth('apply', '--yes')).code).toBe(0);
    const pid = (await pidOf()) ?? 0;
    const own = markOf(pid);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await pidOf()) === null, 'the engine to be gone');

    const owned = join(folder, 'owned');
    const { logFile } = JSON.parse(own) as { logFile: string };
    if (uid !== 0) for (const path of [dirname(logFile), logFile]) chownSync(path, uid, uid);
    const words = [...(uid === 0 ? [] : asNobody), process.execPath, fakeEngine, String(port)];
    const env = { PATH: process.env['PATH'], BERTH_MARK: forged(own, owned) };
    const log = openSync(logFile, 'a');
    stranger = spawn(words[0] ?? '', words.slice(1), { env, stdio: ['ignore', log, log] });
    await until(
      async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null))?.ok ?? false,
      'the stranger to answer',
    );

    const told = notBelieved(uid, stranger.pid ?? 0);
    const seen = await status();
    expect(seen.deployments[0]?.replicas[0]?.pid).toBeNull();
    expect(seen.findings).toContainEqual(told);
    const plan = await planned();
    expect(plan.actions.map((action) => action.do)).toEqual(['start']);
    expect(plan.findings).toContainEqual(told);
    const applied = await berth('apply', '--yes');
    expect([applied.code, applied.stdout + applied.stderr]).toEqual([
      1,
      expect.stringContaining(`Port ${port} on 127.0.0.1 is held by process ${stranger.pid}`),
    ]);
    expect((await berth('down')).code).toBe(0);
    expect(stranger.exitCode).toBeNull();
    expect(existsSync(owned)).toBe(false);
  },
);

test.skipIf(!isRoot)(
  "a mark as of an adopted process that lies in root's state folder, where its owner has put it, is none: nothing that it says is started",
  async () => {
    const [port = 0, other = 0] = await freePorts(2);
    fleet.write({ a: `port: ${port}` });
    const { berth, folder } = fleet.place;
    expect((await berth('apply', '--yes')).code).toBe(0);
    const own = markOf((await pidOf()) ?? 0);
    expect((await berth('down')).code).toBe(0);

    const words = [...asNobody, process.execPath, fakeEngine, String(other)];
    stranger = spawn(words[0] ?? '', words.slice(1), { env: { PATH: process.env['PATH'] }, stdio: 'ignore' });
    await until(
      async () => (await fetch(`http://127.0.0.1:${other}/health`).catch(() => null))?.ok ?? false,
      'the stranger to answer',
    );
    const stat = readFileSync(`/proc/${stranger.pid}/stat`, 'utf8');
    const since = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const marks = join(folder, 'state/state/marks');
    mkdirSync(marks, { recursive: true });
    const owned = join(folder, 'owned');
    writeFileSync(join(marks, `${boot}-${stranger.pid}-${since}`), `${forged(own, owned)}\n`);
    for (const path of [marks, dirname(marks), dirname(dirname(marks))]) chownSync(path, nobody, nobody);

    expect(await pidOf()).toBeNull();
    expect(await done()).toEqual(['start']);
    expect((await berth('apply', '--yes')).code).toBe(0);
    expect((await berth('down')).code).toBe(0);
    expect(stranger.exitCode).toBeNull();
    expect(existsSync(owned)).toBe(false);
  },
);

test.skipIf(!isRoot)(
  'an engine that root has started as another user, and that takes on another mark, is no longer believed',
  async () => {
    const { folder, berth } = fleet.place;
    const owned = join(folder, 'owned');
    const next = join(folder, 'next');
    const module = join(folder, 'again.mjs');
    writeFileSync(
      module,
      `import { existsSync, readFileSync } from 'node:fs';
const timer = setInterval(() => {
  if (!existsSync(${JSON.stringify(next)})) return;
  const env = { ...process.env, BERTH_MARK: readFileSync(${JSON.stringify(next)}, 'utf8') };
  process.execve(process.execPath, [process.execPath, ...process.argv.slice(1)], env);
}, 50);
timer.unref();
`,
    );
    write([...asNobody, process.execPath, '--import', module, fakeEngine, '{port}']);
    expect((await berth('apply', '--yes')).code).toBe(0);
    const pid = (await pidOf()) ?? 0;
    const own = markOf(pid);
    const other = forged(own, owned);
    writeFileSync(`${next}.new`, other);
    renameSync(`${next}.new`, next);
    await until(() => markOf(pid) === other, 'the engine to have the other mark');

    const { deployments, findings } = await status();
    expect(deployments[0]?.replicas[0]?.pid).toBeNull();
    expect(findings).toContainEqual(notBelieved(nobody, pid));
    expect(await done()).toEqual(['start']);
    process.kill(pid, 'SIGKILL');
    expect(existsSync(owned)).toBe(false);
  },
);

test.skipIf(!isRoot)(
  'an engine that root has started as another user is ours, also where its output goes elsewhere, its log is gone, and with another --state-dir',
  async () => {
    const shell = ['/bin/sh', '-c', 'exec "$0" "$@" >/dev/null 2>&1'];
    write([...asNobody, ...shell, process.execPath, fakeEngine, '{port}']);
    const applied = await fleet.place.berth('apply', '--yes');
    expect(applied.code, applied.stderr).toBe(0);
    const pid = (await pidOf()) ?? 0;
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m);
    const text = markOf(pid);
    rmSync((JSON.parse(text) as { logFile: string }).logFile);
    expect(await done()).toEqual(['keep']);
    expect(await pidOf('--state-dir', join(fleet.place.folder, 'other'))).toBe(pid);
    const record = join('/run/berth/marks', createHash('sha256').update(text).digest('hex'));
    expect(existsSync(record)).toBe(true);
    expect((await fleet.place.berth('down')).code).toBe(0);
    await until(() => !existsSync(`/proc/${pid}`), 'it to be gone');
    expect(existsSync(record)).toBe(false);
  },
);
