import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { ScannedServer, ScanReport } from '../../src/domain/scan-report.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { usualLlamaImage } from './container-box.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './podman-machine.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const missing = missingForPodmanMachine();
const why = missing === null ? '' : ` (skipped: ${missing})`;
let box: SystemdBox;

beforeAll(async () => {
  if (missing !== null) return;
  box = startPodmanMachine();
  buildUsualLlama(box);
  inBox('systemctl', 'start', 'podman.socket');
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(box.folder, 'm.gguf') });
});
afterAll(() => box?.stop());

/** What it says; throws where it fails. */
function inBox(...argv: string[]): string {
  const ran = box.enter(...argv);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function berth(...args: string[]): string {
  const ran = box.berth(args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran.stdout;
}

function file(fleet: string): void {
  writeFileSync(join(box.folder, 'berth.yaml'), `version: 1\nfleet: ${fleet}\n`);
}

/** A real llama-server in a container, as a person would have started it. */
async function runServer(name: string, port: number, how: readonly string[]): Promise<void> {
  const args = `-m /models/m.gguf --host 0.0.0.0 --port ${port} -np 2 -c 512 -t 1 --cache-ram 0`.split(' ');
  const mounts = ['-v', `${box.folder}:/models:ro`, '-v', `kept-${name}:/kept`];
  const words = ['--name', name, ...how, ...mounts, '--entrypoint', '["/app/llama-server"]', usualLlamaImage];
  inBox('podman', 'run', '--detach', ...words, ...args);
  await answers(port);
}

async function answers(port: number): Promise<void> {
  const asked = ['curl', '--fail', '--silent', `http://127.0.0.1:${port}/health`];
  await until(() => Promise.resolve(box.enter(...asked).code === 0), `port ${port} to answer`, 60_000);
}

/** Its id, once berth has removed it and has made it again from what it kept of it. */
async function removedAndBack(name: string, port: number): Promise<string> {
  const ran = berth('remove', `container:${name}`, '--yes', '--json');
  expect(box.enter('podman', 'container', 'exists', name).code).toBe(1);
  const [removed] = (JSON.parse(ran) as { removed: { undo: string }[] }).removed;
  berth(...(removed?.undo ?? '').split(' ').slice(1));
  await answers(port);
  return idOf(name).split(' ')[0] ?? '';
}

function server(port: number): ScannedServer | undefined {
  const { servers } = JSON.parse(berth('scan', '--json', '--timeout', '8s')) as ScanReport;
  return servers.find(({ wantedPort }) => wantedPort === port);
}

function planned(): Plan {
  return JSON.parse(berth('plan', '--json')) as Plan;
}

function replica(): ReplicaStatus | undefined {
  return (JSON.parse(berth('status', '--json')) as FleetStatus).deployments[0]?.replicas[0];
}

function idOf(name: string): string {
  return inBox('podman', 'inspect', '--format', '{{.Id}} {{.State.Running}}', name).trim();
}

function markVolumes(): string[] {
  return inBox('podman', 'volume', 'ls', '--quiet')
    .split('\n')
    .filter((one) => one.startsWith('berth-mark-'));
}

test.skipIf(missing !== null).each([
  { network: 'the bridge', name: 'kimi', port: 8201, how: ['-p', '127.0.0.1:8201:8201'] },
  { network: 'the network of the machine', name: 'mistral', port: 8202, how: ['--network', 'host'] },
])(
  `a container of podman in $network is adopted as it runs, given back, and changed as one of berth's${why}`,
  async ({ name, port, how }) => {
    await runServer(name, port, how);
    const id = await removedAndBack(name, port);
    file(name);
    const before = server(port);
    expect(before?.owner.name).toBe(`podman ${id.slice(0, 12)}`);
    const pid = String(before?.process.pid);
    const adopted = JSON.parse(berth('adopt', pid, '--json')) as {
      adopted: { name: string; object: string; saved: string }[];
    };
    expect(adopted).toMatchObject({
      adopted: [{ name: 'm', object: `container ${name}` }],
      changes: 0,
      reached: [],
    });
    expect(JSON.parse(readFileSync(adopted.adopted[0]?.saved ?? '', 'utf8'))).toMatchObject({ Id: id });
    const plan = planned();
    // The usual image rolls, which is told and nothing else.
    const rules = plan.findings.map(({ rule }) => rule);
    expect([plan.actions.map((one) => `${one.do} ${one.deployment}`), rules]).toEqual([
      ['keep m'],
      ['rolling-image'],
    ]);
    expect(replica()).toMatchObject({ state: 'ready', slots: 2, port });
    expect([idOf(name), server(port)?.process]).toEqual([`${id} true`, before?.process]);

    expect(berth('disown', 'm')).toContain(`Disowned, and still running: m (container ${name})`);
    expect([idOf(name), server(port)?.mark, markVolumes()]).toEqual([`${id} true`, null, []]);
    expect(server(port)?.process).toEqual(before?.process);

    file(name);
    expect(berth('adopt', pid)).toContain(`Adopted m (container ${name})`);
    const path = join(box.folder, 'berth.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('slots: 2', 'slots: 3'));
    berth('apply', '--yes');
    expect(box.enter('podman', 'container', 'exists', name).code).toBe(1);
    expect(replica()).toMatchObject({ state: 'ready', slots: 3, port });
    expect(markVolumes()).toEqual([]);
    berth('down');
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
    expect(inBox('podman', 'volume', 'ls', '--quiet')).toContain(`kept-${name}`);
  },
);
