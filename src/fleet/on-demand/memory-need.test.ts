import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { localWorld } from '../../io/local-world.ts';
import { weightBytes } from '../../io/weight-bytes.ts';
import { writeGguf } from '../../model-files/gguf-write.ts';
import type { GgufPlan } from '../../model-files/gguf-write.ts';
import { memoryOfRunning } from './memory-need.ts';

const f32 = 0;
const wide = 4096;

const metadata: GgufPlan['metadata'] = [
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.block_count', { type: 'u32', value: 2 }],
  ['llama.embedding_length', { type: 'u32', value: wide }],
  ['llama.feed_forward_length', { type: 'u32', value: wide }],
  ['llama.attention.head_count', { type: 'u32', value: 32 }],
];

function tensor(name: string): GgufPlan['tensors'][number] {
  return { name, shape: [wide, 256], type: f32, data: () => [Buffer.alloc(wide * 256 * 4)] };
}

const spec: Omit<LaunchSpec, 'model'> = {
  engine: 'llama.cpp',
  program: { binary: 'llama-server' },
  args: [],
  env: {},
  secrets: {},
  mmproj: null,
  writable: [],
  devices: { vendor: 'none', count: 0 },
  readiness: { path: '/health', startTimeoutMs: 1000 },
  metricsPath: null,
  stop: { signal: 'SIGTERM', graceMs: 1000 },
  slots: 1,
  servedModel: null,
};

test('a model in several files takes as much as the same model in one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-need-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tensors = ['token_embd.weight', 'blk.0.ffn_up.weight', 'blk.1.ffn_up.weight'].map(tensor);
  const whole = join(folder, 'whole.gguf');
  const first = join(folder, 'm-00001-of-00003.gguf');
  await writeGguf(whole, { metadata, tensors });
  // The first file of some has no tensors at all.
  await writeGguf(first, { metadata, tensors: [] });
  await writeGguf(join(folder, 'm-00002-of-00003.gguf'), { metadata: [], tensors: tensors.slice(0, 2) });
  const world = localWorld();
  function needOf(model: string): Promise<number | null> {
    const declared = { 'engine.kind': 'llama.cpp', 'engine.context': 256 };
    return memoryOfRunning(world, { declared, spec: { ...spec, model } }, new Map());
  }
  expect([await needOf(first), await weightBytes(world, first)]).toEqual([null, null]);
  await writeGguf(join(folder, 'm-00003-of-00003.gguf'), { metadata: [], tensors: tensors.slice(2) });
  const need = await needOf(whole);
  expect(need).toBeGreaterThan(3 * wide * 256 * 4);
  expect(await needOf(first)).toBe(need);
  expect(await weightBytes(world, first)).toBeGreaterThan(3 * wide * 256 * 4);
});
