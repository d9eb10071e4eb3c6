import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth engine '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs berth with a stand-in for npm, since the far side of this command is npm and the registry behind it. */
async function berth(args: string[], npm: string): Promise<{ code: number; stdout: string; stderr: string }> {
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(folder, 'npm'), 0o755);
  const env = { ...process.env, PATH: `${folder}:${dirname(process.execPath)}:/usr/bin:/bin` };
  const argv = [join(root, 'bin/berth.js'), 'engine', ...args, '--state-dir', join(folder, 'state')];
  return promisify(execFile)(process.execPath, argv, { env }).then(
    (done) => ({ code: 0, ...done }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test('an install that cannot reach the registry says what to check and leaves nothing behind', async () => {
  const result = await berth(['add', 'embedded'], 'echo "npm error code ENOTFOUND" >&2; exit 1');
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('ENOTFOUND');
  expect(result.stderr).toContain('check the network, the proxy');
  expect(existsSync(join(folder, 'state/data/engines/embedded'))).toBe(false);
});

test('the folder is a root of its own that keeps GPU builds out, and npm may run no scripts there', async () => {
  await berth(
    ['add', 'embedded'],
    `echo "$@" > '${folder}/args'; cp package.json '${folder}/seen.json'; exit 1`,
  );
  const seen = JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const empty = `file:${join(folder, 'state/data/engines/embedded/empty')}`;
  expect(seen['overrides']).toMatchObject({
    '@node-llama-cpp/linux-x64-cuda': empty,
    '@node-llama-cpp/linux-x64-vulkan': empty,
  });
  expect(readFileSync(join(folder, 'args'), 'utf8')).toContain('--ignore-scripts');
});

test('the version that is added is the version that the project is tested with', async () => {
  await berth(['add', 'embedded'], `cp package.json '${folder}/seen.json'; exit 1`);
  const seen = JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  expect(seen['dependencies']?.['node-llama-cpp']).toBe(own['devDependencies']?.['node-llama-cpp']);
});

test('a library that does not load here is reported as such, and removed', async () => {
  const result = await berth(
    ['add', 'embedded'],
    'mkdir -p node_modules/node-llama-cpp; echo "throw new Error(42)" > node_modules/node-llama-cpp/index.js',
  );
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('does not load');
  expect(existsSync(join(folder, 'state/data/engines/embedded'))).toBe(false);
});

test('an engine that berth does not install is refused with those it does', async () => {
  const result = await berth(['add', 'vllm'], 'exit 0');
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('It installs: embedded.');
});

test('list says that nothing is installed, and how to change that', async () => {
  const result = await berth(['list'], 'exit 0');
  expect(result.code).toBe(0);
  expect(result.stdout).toContain('berth engine add embedded');
});
