import { expect, test } from 'vitest';
import { computeBytes, kvBytes, llamaMemory } from './llama-memory.ts';
import type { LlamaShape, LlamaUse } from './llama-memory.ts';

const MiB = 1024 ** 2;

const mistral7b: LlamaShape = {
  weightsBytes: 5_130_686_528,
  inputBytes: 90_112_000,
  layers: 32,
  embedding: 4096,
  feedForward: 14_336,
  heads: 32,
  keyHeads: Array.from({ length: 32 }, () => 8),
  keyLength: 128,
  valueLength: 128,
  vocabulary: 32_000,
  expertsUsed: 1,
};

const mixtral: LlamaShape = { ...mistral7b, expertsUsed: 2 };

const use: LlamaUse = {
  context: 4096,
  slots: 2,
  ubatch: 512,
  typeK: 'f16',
  typeV: 'f16',
  gpuLayers: 0,
  gpus: 0,
  cacheBytes: 0,
};

// What llama.cpp itself reports for these shapes.
test('cache and compute buffer are those that llama.cpp allocates', () => {
  expect(kvBytes(mistral7b, use) / MiB).toBe(1024);
  expect(computeBytes(mistral7b, use) / MiB).toBeCloseTo(120, 1);
  const long = { ...use, context: 32_768, slots: 1, ubatch: 2048 };
  expect(kvBytes(mistral7b, long) / MiB).toBe(4096);
  expect(computeBytes(mistral7b, long) / MiB).toBeCloseTo(592, 1);
  expect(computeBytes(mixtral, use) / MiB).toBeCloseTo(204, 1);
});

test('a quantized cache takes as much less as its blocks do', () => {
  const quantized = { ...use, typeK: 'q8_0', typeV: 'q4_0' };
  expect(kvBytes(mistral7b, quantized) / kvBytes(mistral7b, use)).toBeCloseTo((34 / 32 + 18 / 32) / 4, 6);
});

test('on the processor all of it is host memory; on a GPU all but the input embedding', () => {
  const host = llamaMemory(mistral7b, use);
  expect(host.gpu).toBe(0);
  expect(host.host).toBeGreaterThan(mistral7b.weightsBytes + 1024 * MiB);
  const gpu = llamaMemory(mistral7b, { ...use, gpus: 1, gpuLayers: 'all' });
  expect(gpu.gpu).toBeGreaterThan(mistral7b.weightsBytes - mistral7b.inputBytes + 1024 * MiB);
  expect(gpu.host).toBeLessThan(512 * MiB);
  const half = llamaMemory(mistral7b, { ...use, gpus: 1, gpuLayers: 16 });
  expect(half.gpu).toBeLessThan(gpu.gpu);
  expect(half.host).toBeGreaterThan(gpu.host);
});
