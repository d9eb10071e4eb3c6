import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { findQuadlet } from './find-quadlet.ts';
import { findLlamaServer } from './llama-server.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './podman-machine.ts';
import { inventory } from './suite/systemd.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const quadlet = findQuadlet();
const llama = findLlamaServer();
const missing =
  missingForPodmanMachine() ??
  (quadlet === null ? 'no quadlet of podman: tools/live/quadlet.sh gets one' : null);
const why = missing === null ? '' : ` (skipped: ${missing})`;
const generator = '/etc/systemd/system-generators/podman-system-generator';
const unit = 'berth-lab-toy';
const file = `/etc/containers/systemd/${unit}.container`;
let box: SystemdBox;

beforeAll(async () => {
  if (missing !== null) return;
  box = startPodmanMachine([dirname(quadlet ?? ''), ...(llama ? [dirname(dirname(llama))] : [])]);
  buildUsualLlama(box);
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(box.folder, 'm.gguf') });
  // Podman 4.3 leaves the file of an id, over which a unit made for a later one falls when it starts again.
  put('/etc/systemd/system/berth-.service.d/id.conf', '[Service]\nExecStopPost=rm -f %t/%N.cid\n');
});
afterAll(() => box?.stop());

/** What it says; throws where it fails. */
function inBox(...argv: string[]): string {
  const ran = box.enter(...argv);
  if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function put(path: string, text: string): void {
  inBox('sh', '-c', 'mkdir -p "$(dirname "$0")"; printf %s "$1" >"$0"', path, text);
}

function berth(args: readonly string[], code = 0): string {
  const ran = box.berth(args, { TOY_KEY: 'a-key-of-a-test' });
  expect(ran.code, ran.stdout + ran.stderr).toBe(code);
  return ran.stdout + ran.stderr;
}

function writeFleet(slots: number, target = '', container = 'container: {shm: 96Mi}'): void {
  writeFileSync(
    join(box.folder, 'berth.yaml'),
    `version: 1
fleet: lab
id: quadlet
models: {toy: {source: ./m.gguf}}
deployments:
  toy:
    model: toy
    ownKey: true
    resources: {limits: {memory: 900Mi}}
    target: {kind: systemd, ${target}${container}}
    engine: {kind: llama.cpp, ${container === '' ? `binary: ${llama}, ` : ''}slots: ${slots}, context: 256, threads: 1, cacheRam: 0}
`,
  );
}

/** Podman keeps books of its own and a network that it makes once, berth its keys. */
function leftovers(): string[] {
  const kept = [
    `file ${box.folder}/graph/`,
    `file ${box.folder}/state/`,
    'file /var/lib/cni/',
    'file /etc/cni/',
  ];
  return inventory(box, box.folder).filter((line) => !kept.some((one) => line.startsWith(one)));
}

function plan(): Plan {
  return JSON.parse(berth(['plan', '--json'])) as Plan;
}

function steps(): string[] {
  return plan().actions.map((action) => action.do);
}

function replica(): FleetStatus['deployments'][number]['replicas'][number] {
  const status = JSON.parse(berth(['status', '--json'])) as FleetStatus;
  const [first] = status.deployments.flatMap((one) => one.replicas);
  if (!first) throw new Error('there is no replica');
  return first;
}

/** By berth's own key for the engine, which a client of the machine would have to know. */
function completion(): string {
  const { url } = replica();
  const key = inBox('sh', '-c', `cat /etc/berth/units/${unit}*/*`).trim();
  const auth = `Authorization: Bearer ${key}`;
  const json = 'Content-Type: application/json';
  const data = '{"prompt": "a", "max_tokens": 4}';
  const words = ['--fail', '--silent', '-H', auth, '-H', json, '--data', data, `${url}/v1/completions`];
  return inBox('curl', ...words);
}

test.skipIf(missing !== null)(
  `a machine whose podman makes no units is told so before anything is written${why}`,
  () => {
    writeFleet(2);
    const before = leftovers();
    const said = berth(['plan']);
    expect(said).toContain('Podman makes no units of containers on this machine');
    expect(said).toContain('Install podman 5 or newer');
    expect(berth(['apply'], 1)).toContain('Podman makes no units of containers on this machine');
    expect(leftovers()).toEqual(before);
  },
);

test.skipIf(missing !== null)(
  `secrets that cannot be given to the user of a container are told before anything is written${why}`,
  () => {
    inBox('sh', '-c', 'mkdir -p "$(dirname "$1")" && cp "$0" "$1"', quadlet ?? '', generator);
    writeFleet(2, '', 'container: {user: llama}');
    const before = leftovers();
    expect(berth(['plan'])).toContain('it is not named by its number');
    berth(['apply'], 1);
    expect(leftovers()).toEqual(before);
  },
);

test.skipIf(missing !== null)(
  `a unit that becomes a container's or a plain one leaves nothing of before, and a file of somebody else's stays${why}`,
  () => {
    inBox('sh', '-c', 'mkdir -p "$(dirname "$1")" && cp "$0" "$1"', quadlet ?? '', generator);
    const plainOwn = `unit: {name: own, Service: {BindReadOnlyPaths: ${dirname(dirname(llama ?? ''))}}}`;
    const link = '/etc/systemd/system/multi-user.target.wants/own.service';
    const theirs = '/etc/containers/systemd/own.container';
    const text = '[Container]\nImage=localhost/somebody\n';
    const plain = '/etc/systemd/system/own.service';
    const before = leftovers();
    writeFleet(2, plainOwn, '');
    berth(['apply']);
    expect(inBox('readlink', link).trim()).toBe(plain);

    put(theirs, text);
    writeFleet(3, plainOwn, '');
    const { pid } = replica();
    expect(berth(['apply'], 1)).toContain(theirs);
    expect(inBox('cat', theirs)).toBe(text);
    expect(replica()).toMatchObject({ state: 'ready', pid });
    writeFleet(3, 'unit: own, ', 'container: {shm: 96Mi}');
    expect(berth(['apply'], 1)).toContain(theirs);
    expect(inBox('cat', theirs)).toBe(text);
    inBox('rm', theirs);

    // One that does not run is taken over in its place.
    writeFleet(3, plainOwn, '');
    berth(['apply']);
    inBox('systemctl', 'stop', 'own');
    writeFleet(3, 'unit: own, ', 'container: {shm: 96Mi}');
    berth(['apply']);
    expect(steps()).toEqual(['keep']);
    expect(box.enter('ls', link, plain).code).not.toBe(0);
    inBox('systemctl', 'stop', 'own');
    writeFleet(3, plainOwn, '');
    berth(['apply']);
    expect(steps()).toEqual(['keep']);
    expect(inBox('readlink', link).trim()).toBe(plain);
    expect(box.enter('ls', theirs).code).not.toBe(0);

    berth(['down']);
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
    expect(leftovers()).toEqual(before);
  },
);

test.skipIf(missing !== null)(
  `a container's unit is applied, serves, is changed, comes back when killed, and leaves nothing${why}`,
  async () => {
    inBox('sh', '-c', 'mkdir -p "$(dirname "$1")" && cp "$0" "$1"', quadlet ?? '', generator);
    writeFleet(2);
    const before = leftovers();
    berth(['apply']);
    expect(completion()).toContain('"text"');
    const first = replica();
    expect(first.state).toBe('ready');
    expect(inBox('stat', '-c', '%a', file).trim()).toBe('644');
    expect(inBox('sh', '-c', `stat -c %a /etc/berth/units/${unit}/*`).trim()).toBe('600');
    expect(inBox('readlink', `/proc/${first.pid}/exe`)).toContain('llama-server');
    expect(inBox('podman', 'inspect', '--format', '{{.HostConfig.ShmSize}}', unit).trim()).toBe(
      String(96 * 1024 * 1024),
    );
    expect(berth(['logs', 'toy', '--lines', '200'])).toContain('listening');
    expect(steps()).toEqual(['keep']);

    // One of its own lines that somebody changes is told, and so is what lies over it.
    put(`${file}.d/mine.conf`, '[Container]\nEnvironment=MINE=1\n');
    inBox('sed', '-i', 's/^RestartSec=2$/RestartSec=7/', file);
    const drifted = berth(['plan']);
    expect(drifted).toContain('Service.RestartSec');
    expect(drifted).toContain(`${file}.d/mine.conf`);
    inBox('sed', '-i', 's/^RestartSec=7$/RestartSec=2/', file);
    inBox('rm', '-r', `${file}.d`);
    inBox('systemctl', 'daemon-reload');

    inBox('kill', '-9', String(first.pid));
    await until(() => {
      const now = replica();
      return Promise.resolve(now.state === 'ready' && now.pid !== first.pid);
    }, 'the engine to be back');

    writeFleet(3);
    berth(['apply']);
    expect(completion()).toContain('"text"');
    expect(steps()).toEqual(['keep']);
    const other = replica();
    berth(['apply', '--restart', 'toy']);
    expect(replica().pid).not.toBe(other.pid);
    expect(steps()).toEqual(['keep']);

    berth(['down']);
    expect(inBox('podman', 'ps', '--all', '--quiet')).toBe('');
    expect(leftovers()).toEqual(before);
  },
);
