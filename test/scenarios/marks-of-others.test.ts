import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, freePorts, until } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';
import type { FakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 240_000 });

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
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

async function done(): Promise<string[]> {
  const plan: Plan = (await fleet.place.berth('plan', '--json')).json();
  return plan.actions.map((action) => action.do);
}

async function pidOf(): Promise<number | null> {
  const status: FleetStatus = (await fleet.place.berth('status', '--json')).json();
  return status.deployments[0]?.replicas[0]?.pid ?? null;
}

test.skipIf(!isRoot)(
  'what another user has marked as ours is not believed by root: nothing that it says is started, and it is left alone',
  async () => {
    const [port = 0] = await freePorts(1);
    fleet.write({ a: `port: ${port}` });
    const { berth, folder } = fleet.place;
    expect((await berth('apply', '--yes')).code).toBe(0);
    const pid = (await pidOf()) ?? 0;
    const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const own = environ.find((one) => one.startsWith('BERTH_MARK='))?.slice('BERTH_MARK='.length) ?? '';
    process.kill(pid, 'SIGKILL');
    await until(async () => (await pidOf()) === null, 'the engine to be gone');

    const owned = join(folder, 'owned');
    const mark = JSON.parse(own) as { spec: object };
    const spec = { ...mark.spec, program: { binary: '/bin/sh' }, args: ['-c', `touch '${owned}'; sleep 9`] };
    const [setpriv, ...words] = [...asNobody, process.execPath, fakeEngine, String(port)];
    const env = { PATH: process.env['PATH'], BERTH_MARK: JSON.stringify({ ...mark, spec }) };
    stranger = spawn(setpriv, words, { env, stdio: 'ignore' });
    await until(
      async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null))?.ok ?? false,
      'the stranger to answer',
    );

    expect(await pidOf()).toBeNull();
    expect(await done()).toEqual(['start']);
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

test.skipIf(!isRoot)('an engine that root has started as another user is ours all the same', async () => {
  const command = JSON.stringify([...asNobody, process.execPath, fakeEngine, '{port}']);
  fleet.write({}, { top: '' });
  const text = readFileSync(join(fleet.place.folder, 'berth.yaml'), 'utf8');
  const line = `deployments:\n  a: {engine: {kind: command, command: ${command}, startTimeout: 20s}}`;
  fleet.place.write(text.replace('deployments: {}', line));
  const applied = await fleet.place.berth('apply', '--yes');
  expect(applied.code, applied.stderr).toBe(0);
  const pid = await pidOf();
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534/m);
  expect(await done()).toEqual(['keep']);
  expect((await fleet.place.berth('down')).code).toBe(0);
  await until(() => !existsSync(`/proc/${pid}`), 'it to be gone');
});
