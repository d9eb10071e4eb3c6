import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localFiles } from '../../io/files.ts';
import { keepText, readKept } from './kept-text.ts';

const world = { files: localFiles };

test('the text before a change is there until the file is edited by somebody, also where an undo was broken off', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth kept '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'berth.yaml');
  await writeFile(path, 'fleet: before\n');
  expect(await readKept(world, path)).toBe(null);
  await keepText(world, { path, before: 'fleet: before\n', after: 'fleet: after\n' }, 'move a');
  await writeFile(path, 'fleet: after\n');
  expect(await readKept(world, path)).toEqual({ text: 'fleet: before\n', by: 'move a' });
  await writeFile(path, 'fleet: before\n');
  expect(await readKept(world, path)).toEqual({ text: 'fleet: before\n', by: 'move a' });
  await writeFile(path, 'fleet: else\n');
  expect(await readKept(world, path)).toBe(null);
});
