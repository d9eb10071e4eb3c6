import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Mark } from '../../domain/instance.ts';
import type { ExecOptions, ExecResult } from '../../io/exec.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { definitionFiles } from './own-files.ts';
import type { Scope } from './scope.ts';

let scope: Scope;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth own '));
  scope = {
    name: 'system',
    units: join(folder, 'units'),
    containers: join(folder, 'containers'),
    config: join(folder, 'config'),
    caches: [],
    sudo: true,
  };
  for (const name of ['units', 'containers']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

const mark = { target: { kind: 'systemd' } } as unknown as Mark;

/** A user whom the folder of containers is closed to, and whose sudo does what is asked, or wants a password. */
function closed(sudo: 'free' | 'asks'): World {
  const world = localWorld();
  function refuse(path: string): void {
    if (path.startsWith(`${scope.containers}/`))
      throw Object.assign(new Error(`EACCES: permission denied, '${path}'`), { code: 'EACCES' });
  }
  const files: World['files'] = {
    ...world.files,
    stat: async (path) => {
      refuse(path);
      return world.files.stat(path);
    },
    read: async (path) => {
      refuse(path);
      return world.files.read(path);
    },
  };
  async function run(argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    if (argv[0] !== 'sudo') return world.exec.run(argv, options);
    return sudo === 'free'
      ? world.exec.run(argv.slice(2), options)
      : { code: 1, signal: null, stdout: '', stderr: 'sudo: a password is required\n' };
  }
  return { ...world, files, exec: { ...world.exec, run } };
}

test('a file of others in a folder that only root may enter is no free name', async () => {
  const path = join(scope.containers, 'a.container');
  expect((await definitionFiles(closed('free'), scope, { unit: 'a', mark: null })).foreign).toEqual([]);
  writeFileSync(path, '[Container]\nImage=theirs\n');
  for (const of of [null, mark])
    expect(await definitionFiles(closed('free'), scope, { unit: 'a', mark: of })).toEqual({
      own: [],
      foreign: [path],
    });
  await expect(definitionFiles(closed('asks'), scope, { unit: 'a', mark: null })).rejects.toMatchObject({
    code: 'BECOME_REFUSED',
  });
  // Who may do nothing beyond that would find the write refused too.
  const own = { ...scope, sudo: false };
  expect((await definitionFiles(closed('asks'), own, { unit: 'b', mark: null })).foreign).toHaveLength(1);
});

test('nor is a link that leads nowhere', async () => {
  const path = join(scope.units, 'a.service');
  symlinkSync('/nowhere/at all', path);
  expect(await definitionFiles(localWorld(), scope, { unit: 'a', mark: null })).toEqual({
    own: [],
    foreign: [path],
  });
  expect(await definitionFiles(localWorld(), scope, { unit: 'b', mark: null })).toEqual({
    own: [],
    foreign: [],
  });
});
