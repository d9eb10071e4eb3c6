import type { MemoryNeed } from '../on-demand.ts';

/** What a model's header tells of its size. Bytes and counts; lists are per layer. */
export interface LlamaShape {
  /** All tensors, and of them the input embedding, which stays in host memory. */
  readonly weightsBytes: number;
  readonly inputBytes: number;
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly keyHeads: readonly number[];
  readonly keyLength: number;
  readonly valueLength: number;
  readonly vocabulary: number;
  /** Experts that one token goes through; 1 for dense models. */
  readonly expertsUsed: number;
}

/** How an engine of llama.cpp's kind is told to run it. */
export interface LlamaUse {
  /** Tokens per request. */
  readonly context: number;
  readonly slots: number;
  readonly ubatch: number;
  /** Types of the cache, such as f16 or q8_0. */
  readonly typeK: string;
  readonly typeV: string;
  /** Layers on GPUs, the output counting as one; "all" is every one. */
  readonly gpuLayers: number | 'all';
  readonly gpus: number;
  /** Host memory that it may take beside: its cache of prompts. */
  readonly cacheBytes: number;
}

const MiB = 1024 ** 2;
/** The program itself, and what a GPU's driver takes for each process and device. */
const processBytes = 200 * MiB;
const contextBytes = 500 * MiB;
const contextStep = 256;

/** Bytes per element, from the block sizes of ggml's types. */
const bytesPerElement: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

/**
 * Memory that llama.cpp takes for a model, in the closed form of its own allocations (llama-kv-cache, llama-context): weights, KV
 * cache, compute buffer, output buffer. Layers with a sliding window are counted as if they had none, so it is an upper bound there.
 */
export function llamaMemory(shape: LlamaShape, use: LlamaUse): MemoryNeed {
  const layers = use.gpuLayers === 'all' ? shape.layers + 1 : Math.min(use.gpuLayers, shape.layers + 1);
  const share = use.gpus > 0 ? layers / (shape.layers + 1) : 0;
  const moved = shape.weightsBytes - shape.inputBytes + kvBytes(shape, use);
  const compute = computeBytes(shape, use) + 4 * use.slots * shape.vocabulary;
  const gpu = share > 0 ? moved * share + compute + contextBytes * use.gpus : 0;
  const host =
    shape.inputBytes + moved * (1 - share) + (share < 1 ? compute : 0) + use.cacheBytes + processBytes;
  return { host: Math.ceil(host), gpu: Math.ceil(gpu) };
}

/** Cells that each request's part of the cache has. */
function cellsPerSlot({ context }: LlamaUse): number {
  return Math.ceil(context / contextStep) * contextStep;
}

/** Bytes of the KV cache over all slots. */
export function kvBytes(shape: LlamaShape, use: LlamaUse): number {
  const k = bytesPerElement[use.typeK] ?? 2;
  const v = bytesPerElement[use.typeV] ?? 2;
  const heads = shape.keyHeads.reduce((sum, count) => sum + count, 0);
  return cellsPerSlot(use) * use.slots * heads * (shape.keyLength * k + shape.valueLength * v);
}

/** Bytes of the compute buffer with flash attention: the larger of a layer's peak and the output's. */
export function computeBytes(shape: LlamaShape, use: LlamaUse): number {
  const tokens = Math.min(use.ubatch, cellsPerSlot(use) * use.slots);
  const width =
    3 * shape.feedForward * shape.expertsUsed + 3 * shape.embedding + shape.heads * shape.keyLength;
  const layer = 4 * tokens * width + 2 * tokens * cellsPerSlot(use);
  const head = 4 * use.slots * (shape.vocabulary + shape.embedding) + 4 * tokens * shape.embedding;
  return Math.max(layer, head);
}
