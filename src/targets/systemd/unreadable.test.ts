import { expect, test } from 'vitest';
import { lacking, wayTo } from './unreadable.ts';
import type { Rights } from './unreadable.ts';

function rights(...all: [path: string, mode: number, kind?: 'folder'][]): Map<string, Rights> {
  const told = all.map(([path, mode, kind]) => ({
    path,
    mode,
    folder: kind === 'folder',
    uid: 1000,
    gid: 50,
  }));
  return new Map(told.map((one) => [one.path, one]));
}

const path = '/srv/models/m.gguf';
const way = ['/srv', '/srv/models'];
const nobody = { uid: null, gids: [] };

test('the way to a file is every folder above it, and within a sandbox what is let in', () => {
  expect(wayTo(path, { hardening: 'strict' }, [])).toEqual(way);
  const home = '/home/me/models/m.gguf';
  expect(wayTo(home, { hardening: 'strict' }, ['/home/me/models'])).toEqual(['/home/me/models']);
  expect(wayTo(home, { hardening: 'strict' }, [home])).toEqual([]);
  expect(wayTo(home, { hardening: 'basic' }, [])).toEqual(['/home', '/home/me', '/home/me/models']);
});

test('a user of the unit needs what everybody has: to enter each folder, and to read the file', () => {
  const open = rights(['/srv', 0o755, 'folder'], ['/srv/models', 0o711, 'folder'], [path, 0o644]);
  expect(lacking(nobody, { path, way, rights: open })).toBeNull();
  const shut = rights(['/srv', 0o755, 'folder'], ['/srv/models', 0o750, 'folder'], [path, 0o644]);
  expect(lacking(nobody, { path, way, rights: shut })?.path).toBe('/srv/models');
  expect(lacking(nobody, { path, way, rights: rights([path, 0o640]) })?.path).toBe(path);
  // A folder of weights has to be listed as well.
  expect(lacking(nobody, { path, way, rights: rights([path, 0o711, 'folder']) })?.path).toBe(path);
});

test('a named user has the rights of its own, else of its groups, else of everybody', () => {
  const shut = rights(['/srv/models', 0o710, 'folder'], [path, 0o440]);
  expect(lacking({ uid: 1000, gids: [] }, { path, way, rights: shut })).toBeNull();
  expect(lacking({ uid: 7, gids: [50] }, { path, way, rights: shut })).toBeNull();
  expect(lacking({ uid: 7, gids: [7] }, { path, way, rights: shut })?.path).toBe('/srv/models');
  // Who owns it and may not is not helped by what others may.
  expect(lacking({ uid: 1000, gids: [] }, { path, way, rights: rights([path, 0o044]) })?.path).toBe(path);
});

test('a program has to be run, not read', () => {
  const program = '/opt/llama/llama-server';
  const one = { path: program, way: ['/opt/llama'], bits: 1 };
  expect(lacking(nobody, { ...one, rights: rights([program, 0o711]) })).toBeNull();
  expect(lacking(nobody, { ...one, rights: rights([program, 0o744]) })?.path).toBe(program);
  const shut = rights(['/opt/llama', 0o700, 'folder'], [program, 0o755]);
  expect(lacking(nobody, { ...one, rights: shut })?.path).toBe('/opt/llama');
});
