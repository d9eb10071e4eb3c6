import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localFiles } from './files.ts';
import { tokenOfFile } from './token-file.ts';

test('who asks for a token that is not there yet gets the one that others get at the same time, and later', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth token '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'token');
  const asked = await Promise.all(Array.from({ length: 20 }, () => tokenOfFile(localFiles, path)));
  const later = await tokenOfFile(localFiles, path);
  expect(new Set([...asked, later]).size).toBe(1);
});
