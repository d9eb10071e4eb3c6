import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Mark } from '../../domain/instance.ts';
import { localWorld } from '../../io/local-world.ts';
import { unitFacts } from './facts.ts';
import { systemScope, userScope } from './scope.ts';

/** What a unit of a program there is let in to see; the folder of temporary files is one that a sandbox hides. */
async function readsOf(binary: string, scopeIn = systemScope): Promise<readonly string[]> {
  const world = localWorld();
  const mark = {
    spec: { program: { binary }, model: null, mmproj: null },
    deployment: 'v',
  } as unknown as Mark;
  return (await unitFacts(world, { mark }, { unit: 'v', scope: scopeIn(world) })).reads;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-python-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  }
  return folder;
}

test('a program of Python brings its environment, and the Python that this leans on', async () => {
  const folder = folderWith({
    'venv/bin/vllm': '#!python\n',
    'uv/cpython-3.12.7/bin/python3.12': '',
    'conda/envs/v/bin/vllm': '#!python\n',
    'conda/envs/v/conda-meta/history': '',
    'build/bin/llama-server': '',
  });
  symlinkSync('cpython-3.12.7', join(folder, 'uv/cpython-3.12'));
  const home = join(folder, 'uv/cpython-3.12/bin');
  writeFileSync(join(folder, 'venv/pyvenv.cfg'), `home = ${home}\nversion_info = 3.12.7\n`);
  symlinkSync(join(home, 'python3.12'), join(folder, 'venv/bin/python'));
  expect(await readsOf(join(folder, 'venv/bin/vllm'))).toEqual(
    ['venv/bin', 'venv', 'uv/cpython-3.12', 'uv/cpython-3.12.7'].map((one) => join(folder, one)),
  );
  const conda = join(folder, 'conda/envs/v');
  expect(await readsOf(join(conda, 'bin/vllm'))).toEqual([join(conda, 'bin'), conda]);
  // Another program beside a "bin" is given no more than that, and a user's unit hides nothing.
  const plain = join(folder, 'build/bin');
  expect(await readsOf(join(plain, 'llama-server'))).toEqual([plain]);
  expect(await readsOf(join(folder, 'venv/bin/vllm'), userScope)).toEqual([join(folder, 'venv/bin')]);
});
