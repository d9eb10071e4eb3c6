import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import type { Mark } from '../../domain/instance.ts';
import type { ExecOptions, ExecResult } from '../../io/exec.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { systemdTarget } from '../systemd.ts';
import { SystemdOptions } from './options.ts';
import { recordFolders } from './record.ts';
import { userScope } from './scope.ts';

const unit = 'chat';
const byHand = '[Service]\nExecStart=/opt/engine --port 8000\nNice=5\n';

let home: string;
let active: Set<string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'berth units '));
  active = new Set();
  for (const name of ['engine', 'podman']) put(join(home, 'bin', name), '#!/bin/sh\n');
  chmodSync(join(home, 'bin/engine'), 0o755);
});
afterEach(() => rmSync(home, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const ok: ExecResult = { code: 0, signal: null, stdout: '', stderr: '' };

/** A user's manager that reads the folders as systemd does, and has nothing to run. `dies`: the program is killed before this command. */
function machine({ dies }: { dies?: (argv: readonly string[]) => boolean } = {}): World {
  const world = localWorld();
  const files = {
    ...world.files,
    stat: async (path: string) =>
      world.files.stat(path.endsWith('-generator') ? join(home, 'bin/podman') : path),
  };
  async function run(argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    if (dies?.(argv)) throw new Error('killed');
    if (argv.includes('podman')) return { ...ok, code: argv.includes('inspect') ? 1 : 0 };
    if (argv.includes('journalctl')) return ok;
    return argv.includes('systemctl')
      ? { ...ok, stdout: systemctl(argv.slice(argv.indexOf('--user') + 1)) }
      : world.exec.run(argv, options);
  }
  const env = { HOME: home, PATH: `${join(home, 'bin')}:${process.env['PATH']}`, XDG_RUNTIME_DIR: home };
  return { ...world, files, env, uid: 1000, exec: { ...world.exec, run } };
}

function systemctl([command, ...args]: readonly string[]): string {
  const names = args.filter((one) => one.endsWith('.service'));
  if (command === 'start') names.forEach((one) => active.add(one));
  if (command === 'stop') names.forEach((one) => active.delete(one));
  if (command !== 'show') return '';
  const blocks = names.map((name) => {
    const there = [unitFile(name), containerFile(name)].find((path) => existsSync(path));
    const state = active.has(name) ? 'active' : 'inactive';
    return `Id=${name}\nLoadState=${there ? 'loaded' : 'not-found'}\nActiveState=${state}\nFragmentPath=${there ?? ''}\n`;
  });
  return blocks.join('\n');
}

function unitFile(name = `${unit}.service`): string {
  return join(home, '.config/systemd/user', name);
}

function containerFile(name = `${unit}.service`): string {
  return join(home, '.config/containers/systemd', name.replace('.service', '.container'));
}

function markOf(options: SystemdOptions, port = 8000): Mark {
  return {
    fleet: 'lab',
    fleetId: 'x',
    deployment: 'chat',
    replica: 0,
    target: { ...options },
    address: '127.0.0.1',
    port,
    logFile: '',
    declared: {},
    spec: {
      ...bareSpec,
      program: { binary: 'engine', images: { cpu: 'e/cpu:1' } },
      args: ['serve'],
      stop: { signal: 'SIGTERM', graceMs: 1_000 },
    },
  };
}

const asUnit = SystemdOptions.parse({ kind: 'systemd', unit });
const inContainer = SystemdOptions.parse({ kind: 'systemd', unit, container: {} });

async function create(world: World, options: SystemdOptions): Promise<void> {
  const mark = markOf(options, 8001);
  const { address, port, logFile } = mark;
  const request = { mark, address, port, logFile, stateDir: home, withheld: [] };
  await systemdTarget.create(world, request, options);
}

async function adoptByHand(): Promise<void> {
  put(unitFile(), byHand);
  const foreign = { process: null, unit: { name: unit, scope: 'user' } } as const;
  await systemdTarget.adopt(machine(), foreign, markOf(asUnit));
}

function readAll(...paths: string[]): (string | null)[] {
  return paths.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : null));
}

test('an adopted unit that does not run is started as ours, and what its owner had written stays beside it', async () => {
  await adoptByHand();
  await create(machine(), asUnit);
  expect(readFileSync(unitFile(), 'utf8')).toContain('Written by berth');
  expect(readAll(`${unitFile()}.before-berth`)).toEqual([byHand]);
  // Ours by now: changed once more, it is no definition to keep.
  active.clear();
  await create(machine(), asUnit);
  expect(readAll(`${unitFile()}.before-berth`)).toEqual([byHand]);
});

test('so it is where a container takes its place, also when berth was killed over it', async () => {
  await adoptByHand();
  const killed = machine({ dies: (argv) => argv.includes('disable') });
  await expect(create(killed, inContainer)).rejects.toThrow('killed');
  expect(readAll(unitFile(), `${unitFile()}.before-berth`)).toEqual([byHand, byHand]);

  await create(machine(), inContainer);
  expect(readAll(unitFile(), `${unitFile()}.before-berth`)).toEqual([null, byHand]);
  expect(existsSync(containerFile())).toBe(true);
  expect(readFileSync(`${unitFile()}.d/10-berth.conf`, 'utf8')).not.toContain('X-Berth-Adopted');
});

test('what was kept of a place goes when the place ends, not when another engine comes into it', async () => {
  const world = machine();
  const [record = ''] = recordFolders(userScope(world), markOf(asUnit));
  for (const ends of [false, true]) {
    await create(world, asUnit);
    put(record, '{}');
    const [instance] = await systemdTarget.observe(world);
    if (!instance) throw new Error('it is not there');
    await systemdTarget.remove(world, instance, { signal: 'SIGTERM', graceMs: 0, ends });
    expect([existsSync(unitFile()), existsSync(record)]).toEqual([false, !ends]);
  }
});
