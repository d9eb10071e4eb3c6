import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingEntries } from '../../scripts/complete-lock.mjs';
import { root, textOf } from './source-tree.ts';

const lock = JSON.parse(textOf('package-lock.json')) as {
  packages: Record<string, { resolved?: string; link?: boolean; version?: string }>;
};
const own = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>;

test('the lock file carries no download address, so nobody is sent to the registry of whoever ran npm last', () => {
  const faults = Object.entries(lock.packages).filter(([, { resolved }]) => resolved?.includes('://'));
  expect(faults.map(([path]) => path)).toEqual([]);
});

test('the lock file names the packages of every platform ("node scripts/complete-lock.mjs" adds them)', () => {
  expect(missingEntries(lock)).toEqual([]);
});

test('the pinned Node is one version everywhere', () => {
  const pinned = JSON.parse(textOf('tools/node/package.json')) as {
    version: string;
    optionalDependencies: Record<string, string>;
  };
  expect(new Set(Object.values(pinned.optionalDependencies))).toEqual(new Set([pinned.version]));
});

test('types are those of the oldest Node that berth is for', () => {
  const oldest = own['engines']?.['node'] ?? '';
  expect(oldest).toMatch(/^>=\d+$/);
  expect(own['devDependencies']?.['@types/node']).toMatch(new RegExp(`^\\^${oldest.slice(2)}\\.`));
});

test('what is published holds no sources, tests or tools', () => {
  expect(own['files']).toEqual(expect.arrayContaining(['bin', 'dist']));
  expect(
    (own['files'] as unknown as string[]).filter((name) => /^(src|test|tools|scripts|training)/.test(name)),
  ).toEqual([]);
});

test.skipIf(!existsSync(join(root, '.git')))('no file in the repository is larger than 8 MB', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  const large = files.filter(
    (path) => path !== '' && (statSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0) > 8e6,
  );
  expect(large).toEqual([]);
});
