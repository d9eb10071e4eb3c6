import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isRunning, makePlace, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { createFakes, freePort } from '../scan/fakes.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

function words(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}

test('a server that was started by hand ends when it is named, and the undo starts it as it was', async () => {
  using fakes = createFakes();
  const model = join(fakes.dir, 'a model.gguf');
  writeFileSync(model, 'not read');
  const port = String(await freePort());
  const program = [fakes.program('llama-server'), '-m', model, '--port', port];
  const { pid } = await fakes.start(program, { LLAMA_API_KEY: 'sk-kept' });
  const before = words(pid);
  const object = `process:${pid}`;

  const shown = await place.berth('remove', object, '--dry-run');
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining(`process ${pid}: `)]);
  const asked = await place.berth('remove', object);
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  expect(isRunning(pid)).toBe(true);

  const ran = await place.berth('remove', object, '--yes', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  const { removed } = ran.json() as { removed: { object: string; kept: string; undo: string }[] };
  const [{ kept, undo } = { kept: '', undo: '' }] = removed;
  expect(isRunning(pid)).toBe(false);
  expect(ran.stdout + ran.stderr).not.toContain('sk-kept');
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  expect((await place.berth('restore')).stdout).toContain(undo.replace('berth restore ', ''));

  const undone = await place.berth(...undo.split(' ').slice(1));
  expect(undone.code, undone.stderr).toBe(0);
  const again = Number(/as process (\d+)/.exec(undone.stdout)?.[1]);
  try {
    await until(() => words(again).length === before.length, 'the server to be there again');
    expect(words(again)).toEqual(before);
    expect(readFileSync(`/proc/${again}/environ`, 'utf8')).toContain('LLAMA_API_KEY=sk-kept');
    const twice = await place.berth(...undo.split(' ').slice(1));
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('was made again already')]);
  } finally {
    process.kill(again, 'SIGKILL');
  }
});

test('what a supervisor keeps is left to it, as the audit tells', async () => {
  using fakes = createFakes();
  const model = join(fakes.dir, 'a.gguf');
  const program = [fakes.program('llama-server'), '-m', model, '--port', String(await freePort())];
  const supervisor = join(fakes.dir, 'runsv');
  const start =
    "require('child_process').spawn(process.argv[3], process.argv.slice(4), { stdio: 'inherit' })";
  writeFileSync(supervisor, `#!${join(fakes.dir, 'node')}\n${start};\n`);
  chmodSync(supervisor, 0o755);
  const { pid } = await fakes.start([supervisor, 'llama', ...program]);
  const asked = await place.berth('remove', `process:${pid}`, '--yes');
  expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('runit llama keeps it')]);
  expect(isRunning(pid)).toBe(true);
});

test('nothing is removed without its name, what is no model server is not known, and a name has a kind', async () => {
  expect((await place.berth('remove', '--yes')).code).toBe(2);
  const own = await place.berth('remove', `process:${process.pid}`, '--yes');
  expect([own.code, own.stderr]).toEqual([2, expect.stringContaining('that serves models')]);
  const bare = await place.berth('remove', 'kimi', '--yes');
  expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('unit:kimi-cpu.service')]);
  const where = await place.berth('remove', 'service:llm/kimi', '--yes');
  expect([where.code, where.stderr]).toEqual([2, expect.stringContaining('--context')]);
  const gone = await place.berth('restore', 'nothing');
  expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining('Nothing was removed yet')]);
});
