import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const lacks = missingForSystemd() || missingForSsh();
if (lacks !== '') console.info(`GPUs by ssh: not run, ${lacks} is missing`);

/** The driver's tool is a script there that tells what the documentation of nvidia-smi says it tells. */
describe.skipIf(lacks !== '')('GPUs of a machine by ssh', () => {
  let machine: SystemdBox;
  let keys: string;
  let place: Place;

  beforeAll(() => {
    keys = mkdtempSync(join(tmpdir(), 'berth-ssh-gpus-'));
    machine = startSystemdBox([keys]);
    const path = `${keys}/tools:${process.env['PATH']}`;
    execFileSync(script, ['start', keys], {
      env: { ...process.env, BOX_PID: machine.pid, BOX_PATH: path },
      stdio: 'pipe',
    });
    place = makePlace();
    place.env['PATH'] = `${keys}/bin:${process.env['PATH']}`;
  });
  afterAll(async () => {
    await place?.close();
    machine?.stop();
    if (!keys) return;
    execFileSync(script, ['stop', keys], { stdio: 'pipe' });
    rmSync(keys, { recursive: true, force: true });
  });

  /** So many MiB of each GPU are in use, as the tool there tells; it tells nothing of processes. */
  function driver(used: readonly number[]): void {
    const rows = used.map(
      (mib, at) =>
        `${at}, GPU-${at}, 0${at}:00.0, NVIDIA L4, 23034, ${mib}, 0, 0, 40, 20, Disabled, 580.1, 8.9`,
    );
    const tool = join(keys, 'tools/nvidia-smi');
    mkdirSync(join(keys, 'tools'), { recursive: true });
    writeFileSync(
      tool,
      `#!/bin/sh\ncase "$*" in *query-gpu*) cat <<'END'\n${rows.join('\n')}\nEND\n;; esac\n`,
    );
    chmodSync(tool, 0o755);
  }

  function write(...deployments: string[]): void {
    place.write(`version: 1
fleet: lab
id: gpus1
hosts: {far: {ssh: box, ports: 18450-18470}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
${deployments.join('\n')}
`);
  }

  function engine(name: string, more: string): string {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    return `  ${name}: {${more}, engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: 60s}}`;
  }

  /** What each engine there is shown, by the environment that it has. */
  async function shown(): Promise<Record<string, string>> {
    const status: FleetStatus = (await place.berth('status', '--json')).json();
    return Object.fromEntries(
      status.deployments.flatMap(({ name, replicas }) =>
        replicas.map(({ replica, pid }) => {
          const env = machine.enter('cat', `/proc/${pid}/environ`).stdout.split('\0');
          const line = env.find((one) => one.startsWith('CUDA_VISIBLE_DEVICES='));
          return [`${name}-${replica}`, line?.split('=')[1] ?? 'all'];
        }),
      ),
    );
  }

  async function done(...args: string[]): Promise<Plan> {
    const ran = await place.berth(...args, '--json');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.json();
  }

  test('processes and units there have GPUs of their own, keep them, also over a crash, and one that comes later has what is left', async () => {
    driver([20_000, 0, 0, 0]);
    const unit = engine('unit', 'gpus: 1, target: {kind: systemd}');
    const plain = engine('plain', 'gpus: 1, replicas: 2');
    write(unit, plain);
    await done('apply', '--yes');
    const first = { 'unit-0': 'GPU-1', 'plain-0': 'GPU-2', 'plain-1': 'GPU-3' };
    expect(await shown()).toEqual(first);

    // The engines fill theirs, and the other would be emptier by now.
    driver([0, 22_000, 22_000, 22_000]);
    const later = engine('later', 'gpus: 1, target: {kind: systemd}');
    write(later, unit, plain);
    const plan = await done('plan');
    expect(plan.actions.map((one) => `${one.do} ${one.deployment}`).toSorted()).toEqual([
      'keep plain',
      'keep plain',
      'keep unit',
      'start later',
    ]);
    expect(plan.findings.map(({ rule }) => rule)).not.toContain('rendered-otherwise');
    await done('apply', '--yes');
    expect(await shown()).toEqual({ ...first, 'later-0': 'GPU-0' });

    const status: FleetStatus = (await place.berth('status', '--json')).json();
    const [{ pid } = { pid: null }] = status.deployments.find(({ name }) => name === 'unit')?.replicas ?? [];
    machine.enter('kill', '-9', String(pid));
    await until(async () => {
      const now: FleetStatus = (await place.berth('status', '--json')).json();
      const one = now.deployments.find(({ name }) => name === 'unit')?.replicas[0];
      return one?.state === 'ready' && one.pid !== pid;
    }, 'systemd to start it again');
    expect((await shown())['unit-0']).toBe('GPU-1');

    write(engine('big', 'gpus: 2'), later, unit, plain);
    const short = await done('plan');
    expect(short.findings.find(({ rule }) => rule === 'gpus-short')).toMatchObject({
      object: 'big',
      host: 'far',
    });
    await done('down');
  });
});
