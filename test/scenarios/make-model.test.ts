import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localExec } from '../../src/io/exec.ts';

const berth = [process.execPath, resolve(import.meta.dirname, '../../bin/berth.js')];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-make-model-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeModel(...flags: string[]) {
  return localExec.run([...berth, 'dev', 'make-model', ...flags], { timeoutMs: 25_000 });
}

test('berth dev make-model writes a model and the tokenizer of the same vocabulary', async () => {
  const path = join(folder, 'made.gguf');
  const done = await makeModel('--params', '1M', '--seed', '5', '--out', path, '--json');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  const made = JSON.parse(done.stdout) as { path: string; bytes: number; parameters: number };
  expect(made).toMatchObject({ path, bytes: statSync(path).size });
  expect(made.parameters).toBeGreaterThan(1_000_000);
  const tokenizer = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number>; merges: string[][] };
    added_tokens: { content: string; special: boolean }[];
  };
  expect(Object.keys(tokenizer.model.vocab)).toHaveLength(2048 - 4);
  expect(tokenizer.added_tokens.map((token) => token.content)).toContain('<|im_end|>');
});

test.each([
  [['--params', '7B'], '--params is one of'],
  [['--type', 'q2'], '--type is q8_0 or f16'],
  [['--seed', 'x'], '--seed is a whole number'],
])('%j is refused with the choices', async (flags, words) => {
  const done = await makeModel('--out', join(folder, 'never.gguf'), ...flags);
  expect(done.code).toBe(2);
  expect(done.stderr).toContain(words);
});
