import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localFiles } from './files.ts';
import { nameBeside } from './left-behind.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth files '));
});
afterEach(() => rmSync(folder, { recursive: true }));

const module = JSON.stringify(join(import.meta.dirname, 'left-behind.ts'));
const begin = `import { nameBeside } from ${module}; import { writeFileSync } from 'node:fs';
  writeFileSync(nameBeside(process.argv[1]), 'half'); console.log('begun');`;

function program(then: string, path: string): string[] {
  return ['--input-type=module', '-e', `${begin}${then}`, path];
}

test('what a writer left that died is removed by the next write in that folder, and what others write stays', async () => {
  const path = join(folder, 'a.json');
  const dead = spawnSync(process.execPath, program('process.kill(process.pid, "SIGKILL")', path));
  expect(dead.signal).toBe('SIGKILL');
  const living = spawn(process.execPath, program('setInterval(() => {}, 1000)', join(folder, 'b.json')));
  await new Promise((begun) => void living.stdout.once('data', begun));
  for (const name of ['notes.tmp', 'a.json.0a1b2c3d.tmp']) writeFileSync(join(folder, name), '');
  const own = nameBeside(join(folder, 'c.json'));
  writeFileSync(own, 'half');

  expect(readdirSync(folder).filter((name) => name.startsWith('a.json.') && name.length > 25)).toHaveLength(
    1,
  );
  await localFiles.write(path, 'whole');
  const left = readdirSync(folder);
  expect(left.filter((name) => name.startsWith('a.json'))).toEqual(['a.json', 'a.json.0a1b2c3d.tmp']);
  expect(left).toContain('notes.tmp');
  expect(left.filter((name) => name.startsWith('b.json.'))).toHaveLength(1);
  expect(left.filter((name) => name.startsWith('c.json.'))).toHaveLength(1);

  const ended = new Promise((done) => void living.once('close', done));
  living.kill('SIGKILL');
  await ended;
  await localFiles.tidy?.(folder);
  expect(readdirSync(folder).filter((name) => name.startsWith('b.json.'))).toEqual([]);
});

test('what a writer of another machine began is left for a day', async () => {
  const name = 'a.json.00000000-1-1-00000000.tmp';
  writeFileSync(join(folder, name), 'half');
  await localFiles.tidy?.(folder);
  expect(readdirSync(folder)).toEqual([name]);
  const before = Date.now() / 1000 - 25 * 3600;
  utimesSync(join(folder, name), before, before);
  await localFiles.tidy?.(folder);
  expect(readdirSync(folder)).toEqual([]);
});

test('a write that fails leaves nothing beside its place, and says what is wrong with it', async () => {
  mkdirSync(join(folder, 'taken'));
  await expect(localFiles.write(join(folder, 'taken'), 'x')).rejects.toMatchObject({
    code: 'WRITE_DENIED',
    message: `${join(folder, 'taken')} could not be written: a folder is in its place.`,
  });
  expect(readdirSync(folder)).toEqual(['taken']);
  writeFileSync(join(folder, 'file'), '');
  await expect(localFiles.makeDir(join(folder, 'file/below'))).rejects.toMatchObject({
    code: 'WRITE_DENIED',
  });
  await expect(localFiles.append('/dev/full', 'x')).rejects.toMatchObject({ code: 'DISK_FULL' });
});

test.skipIf(process.getuid?.() === 0)('a folder without the right to write into it is named', async () => {
  chmodSync(folder, 0o500);
  await expect(localFiles.write(join(folder, 'a'), 'x')).rejects.toMatchObject({ code: 'WRITE_DENIED' });
  chmodSync(folder, 0o700);
});
