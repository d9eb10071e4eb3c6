import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';
import { fakeEngine, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { importLlama, llamaImage, missingFor, onPath, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { addSshUser, sshUser } from './ssh-user.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const lacks = missingForSystemd() || missingForSsh() || (onPath('sudo') ? '' : 'sudo');
if (lacks !== '') console.info(`sudo by ssh: not run, ${lacks} is missing`);

/** Who logs in there, and may do all through sudo. */
const user = sshUser;

describe.skipIf(lacks !== '')('a host by ssh whose user is not root, with "become: sudo"', () => {
  let machine: SystemdBox;
  let keys: string;
  let place: Place;

  function asRoot(line: string): string {
    const { code, stdout, stderr } = machine.enter('sh', '-c', line);
    if (code !== 0) throw new Error(`${line}: ${stderr}`);
    return stdout;
  }

  beforeAll(() => {
    keys = mkdtempSync(join(tmpdir(), 'berth-ssh-sudo-'));
    chmodSync(keys, 0o755);
    machine = startSystemdBox([keys]);
    const { name, id, home } = user;
    asRoot(
      [
        `echo '${name}:x:${id}:${id}::${home}:/bin/sh' >>/etc/passwd`,
        `echo '${name}:x:${id}:' >>/etc/group`,
        `echo '${name}:*:19000:0:99999:7:::' >>/etc/shadow`,
        `mkdir -p ${home} && chown ${id}:${id} ${home}`,
      ].join(' && '),
    );
    mayUseSudo('NOPASSWD: ALL');
    execFileSync(script, ['start', keys], { env: { ...process.env, BOX_PID: machine.pid }, stdio: 'pipe' });
    execFileSync('chown', ['-R', `${id}:${id}`, join(keys, 'home')]);
    place = makePlace();
    place.env['PATH'] = `${keys}/bin:${place.env['PATH']}`;
  });
  afterAll(async () => {
    await place?.close();
    machine?.stop();
    if (!keys) return;
    execFileSync(script, ['stop', keys], { stdio: 'pipe' });
    rmSync(keys, { recursive: true, force: true });
  });

  function mayUseSudo(what: string): void {
    asRoot(`echo '${user.name} ALL=(ALL) ${what}' >/etc/sudoers && chmod 440 /etc/sudoers`);
  }

  function fleet(more = ''): void {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    place.write(`version: 1
fleet: lab
id: sudo1
hosts: {far: {ssh: ${user.name}@box, become: sudo, ports: 18400-18420}}
deployments:
  a: {target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s${more}}}
`);
  }

  async function replica(): Promise<ReplicaStatus | undefined> {
    const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
    return deployments[0]?.replicas[0];
  }

  async function apply(): Promise<void> {
    const ran = await place.berth('apply', '--yes');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  }

  /** What the machine has of units, their files and caches, listeners of engines and programs. */
  function inventory(): string {
    const folders = `/etc/systemd/system /etc/berth /var/cache ${user.home}/.config`;
    const programs = 'ps -eo args --no-headers | grep fake-engine | grep -v grep';
    return asRoot(`find ${folders} -type f 2>/dev/null | sort; ${programs}; true`);
  }

  test('its units are those of the system, made, read, changed, restarted and removed through sudo', async () => {
    const before = inventory();
    fleet();
    await apply();
    const first = await replica();
    expect([first?.state, first?.object]).toEqual(['ready', 'unit berth-lab-a.service']);
    expect(
      asRoot('stat -c "%U %a" /etc/systemd/system/berth-lab-a.service /etc/berth/units/berth-lab-a/*'),
    ).toMatch(/^root 644\n(root 600\n)+$/);
    expect((await place.berth('logs', 'a')).stdout).toContain('fake engine on port');
    asRoot(`kill -9 ${first?.pid}`);
    await until(async () => {
      const now = await replica();
      return now?.state === 'ready' && now.pid !== first?.pid;
    }, 'systemd to start it again');
    fleet(', env: {COLOUR: blue}');
    await apply();
    expect(asRoot(`cat /proc/${(await replica())?.pid}/environ`)).toContain('COLOUR=blue');
    expect((await place.berth('down')).code).toBe(0);
    expect(inventory()).toBe(before);
  });

  test('where sudo asks for a password that is told with its cure, and nothing is half made', async () => {
    const before = inventory();
    mayUseSudo('ALL');
    try {
      fleet();
      const ran = await place.berth('apply', '--yes');
      expect(ran.code).toBe(1);
      expect(ran.stdout + ran.stderr).toContain('"sudo -n" was refused');
      expect(inventory()).toBe(before);
    } finally {
      mayUseSudo('NOPASSWD: ALL');
    }
  });
});

const lacksDocker = lacks || (missingFor('docker') ?? '') || (onPath('docker') ? '' : 'the program docker');

describe.skipIf(lacksDocker !== '')('a dockerd that the user who logs in by ssh may not use', () => {
  let machine: string;
  let box: ContainerBox;
  let place: Place;
  let image: { entrypoint: string[]; backend: string };

  function inside(line: string): string {
    return execFileSync(script, ['enter', machine, 'sh', '-c', line], { encoding: 'utf8', stdio: 'pipe' });
  }

  beforeAll(async () => {
    machine = mkdtempSync(join(tmpdir(), 'berth-ssh-sudo-docker-'));
    chmodSync(machine, 0o755);
    execFileSync(script, ['start', machine], { stdio: 'pipe' });
    addSshUser(machine, 'NOPASSWD: ALL');
    execFileSync('chown', ['-R', `${user.id}:${user.id}`, join(machine, 'home')]);
    box = await startBox('docker', { before: [script, 'enter', machine] });
    image = await importLlama(box);
    inside(`ln -s ${box.host.slice('unix://'.length)} /run/docker.sock`);
    place = makePlace();
    place.env['PATH'] = `${machine}/bin:${place.env['PATH']}`;
    const path = join(machine, 'home/toy.gguf');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path });
    const entrypoint = JSON.stringify(image.entrypoint);
    place.write(`version: 1
fleet: lab
id: sudo2
hosts: {far: {ssh: ${user.name}@box, become: sudo, ports: 18400-18420}}
models: {toy: {source: ${path}}}
deployments:
  a: {model: toy, engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, warmup: false, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${image.backend}}}, target: {kind: docker, image: "${llamaImage}", pull: never, entrypoint: ${entrypoint}}}
`);
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
    if (!machine) return;
    execFileSync(script, ['stop', machine], { stdio: 'pipe' });
    rmSync(machine, { recursive: true, force: true });
  });

  async function containers(): Promise<unknown[]> {
    return (await box.api.ask('GET', '/containers/json?all=1')).json as unknown[];
  }

  test('is asked through sudo: a container is made there, seen, read and removed', async () => {
    const ran = await place.berth('apply', '--yes');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const status = (await place.berth('status', '--json')).json() as FleetStatus;
    expect(status.deployments[0]?.replicas[0]?.state).toBe('ready');
    const logs = await place.berth('logs', 'a');
    expect(logs.stdout, logs.stderr).toContain('listening on http');
    expect(await containers()).toHaveLength(1);
    expect((await place.berth('down')).code).toBe(0);
    expect(await containers()).toEqual([]);
  });

  test('is told as one that cannot be asked where sudo wants a password', async () => {
    addSshUser(machine, 'ALL');
    const ran = await place.berth('apply', '--yes');
    expect(ran.stdout + ran.stderr).toContain('"sudo -n" was refused');
    expect(ran.code).toBe(1);
    expect(await containers()).toEqual([]);
  });
});
