import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BerthError } from '../domain/errors/berth-error.ts';
import { localFiles } from '../io/files.ts';
import { checkRunnable } from './gguf-check.ts';
import { readGgufFile } from './gguf-read.ts';
import type { GgufHeader } from './gguf-types.ts';
import { fileTypeName } from './gguf-types.ts';
import { makeModel } from './make-model.ts';
import { toHalf } from './random-weights.ts';
import { makeVocabulary } from './vocabulary.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-model-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(name: string, seed: number, type: 'q8_0' | 'f16' = 'q8_0') {
  return makeModel(localFiles, { size: '1M', type, seed, path: join(folder, name) });
}

test('the same seed gives the same bytes, another seed others', async () => {
  const [a, b, c] = await Promise.all([make('a.gguf', 1), make('b.gguf', 1), make('c.gguf', 2)]);
  expect(readFileSync(a.path).equals(readFileSync(b.path))).toBe(true);
  expect(readFileSync(a.path).equals(readFileSync(c.path))).toBe(false);
});

test('what was written is read back: metadata, tensors and their places', async () => {
  const { path, bytes } = await make('f16.gguf', 3, 'f16');
  const header = await readGgufFile(path);
  expect(header.metadata.get('general.architecture')).toBe('llama');
  expect(header.metadata.get('tokenizer.ggml.add_bos_token')).toBe(true);
  expect(header.metadata.get('tokenizer.ggml.tokens')).toHaveLength(2048);
  expect(fileTypeName(header)).toBe('F16');
  expect(header.tensors).toHaveLength(3 + 4 * 9);
  expect(readFileSync(path)).toHaveLength(bytes);
  expect(() => checkRunnable(header, path)).not.toThrow(BerthError);
});

test('a header without a key that aborts llama.cpp is refused by that key', async () => {
  const { path } = await make('whole.gguf', 1);
  const header = await readGgufFile(path);
  for (const key of ['llama.attention.head_count', 'llama.feed_forward_length', 'tokenizer.ggml.model']) {
    const metadata = new Map(header.metadata);
    metadata.delete(key);
    const less: GgufHeader = { ...header, metadata };
    expect(() => checkRunnable(less, path)).toThrow(`lacks the key ${key}`);
  }
});

test('the vocabulary is one of distinct tokens, each made of two that come before it', () => {
  const { tokens, merges, specials } = makeVocabulary(4096, 9);
  expect(new Set(tokens).size).toBe(4096);
  expect(tokens[specials.turnEnd]).toBe('<|im_end|>');
  const places = new Map(tokens.map((token, id) => [token, id]));
  for (const merge of merges) {
    const [left = '', right = ''] = merge.split(' ');
    const whole = places.get(left + right) ?? -1;
    expect(whole).toBeGreaterThan(Math.max(places.get(left) ?? 9999, places.get(right) ?? 9999));
  }
});

test('halves keep sign and size', () => {
  expect([0, 1, -2, 0.5, 65_504].map(toHalf)).toEqual([0, 0x3c00, 0xc000, 0x3800, 0x7bff]);
});
