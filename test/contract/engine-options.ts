import type { Draw } from './draw.ts';

/** How an engine's options are made up, and which of them a command line cannot show. */
export interface MadeUp {
  readonly make: (draw: Draw) => Record<string, unknown>;
  /** Said elsewhere than on the command line: waiting times, images, variables, what the target gives. */
  readonly unseen: readonly string[];
}

const elsewhere = ['kind', 'startTimeout', 'env'];

function llamaCpp({ upTo, one, some }: Draw): Record<string, unknown> {
  return {
    binary: one(['llama-server', '/opt/llama.cpp/bin/llama-server']),
    alias: one(['a', 'my model', 'mistral-7b']),
    slots: upTo(16),
    context: upTo(32) * 256,
    gpuLayers: one([0, upTo(80), 'auto', 'all']),
    cacheRam: upTo(9000) - 1,
    batch: upTo(4096),
    ubatch: upTo(512),
    threads: upTo(64),
    threadsBatch: upTo(64),
    threadsHttp: upTo(8),
    flashAttention: one(['on', 'off', 'auto']),
    cacheTypeK: one(['f16', 'q8_0']),
    cacheTypeV: one(['f16', 'q8_0']),
    loadMode: one(['none', 'mmap', 'mlock', 'mmap+mlock', 'dio']),
    kvOffload: one([true, false]),
    kvUnified: one([true, false]),
    swaFull: true,
    cacheReuse: upTo(512),
    contextShift: one([true, false]),
    devices: some(['CUDA0', 'CUDA1', 'Vulkan0']),
    splitMode: one(['none', 'layer', 'row', 'tensor']),
    tensorSplit: one([
      [3, 1],
      [0.5, 0.25, 0.25],
    ]),
    mainGpu: upTo(4) - 1,
    fit: one(['on', 'off']),
    cpuMoe: true,
    cpuMoeLayers: upTo(20),
    overrideTensor: one(['ffn_.*_exps=CPU', '\\.(1|2)\\.=CUDA1,x=CPU']),
    numa: one(['distribute', 'isolate', 'numactl']),
    mmprojOffload: one([true, false]),
    imageMinTokens: upTo(64),
    imageMaxTokens: upTo(2048),
    lora: some(['/m/a.gguf', '/m/b with space.gguf']),
    loraScaled: some(['/m/c.gguf:0.5', '/m/d.gguf:-1']),
    loraUnapplied: true,
    draftModel: '/m/draft.gguf',
    draftGpuLayers: one([0, upTo(30), 'all']),
    draftDevices: some(['CUDA0', 'none']),
    draftMax: upTo(16),
    draftMin: upTo(4) - 1,
    draftProbability: one([0, 0.75, 1]),
    speculative: some(['draft-simple', 'ngram-mod']),
    embeddings: true,
    rerank: true,
    pooling: one(['none', 'mean', 'cls', 'last', 'rank']),
    jinja: one([true, false]),
    chatTemplate: one(['chatml', 'llama3']),
    chatTemplateFile: '/m/t.jinja',
    reasoningFormat: one(['deepseek', 'none']),
    reasoningBudget: upTo(100) - 2,
    warmup: one([true, false]),
  };
}

function llamaRouter({ upTo, one }: Draw): Record<string, unknown> {
  return {
    binary: one(['llama-server', '/app/llama-server']),
    modelsDir: '/m/models',
    modelsPreset: '/m/models.ini',
    modelsMax: upTo(9) - 1,
    autoload: one([true, false]),
    sleepIdle: `${upTo(600)}s`,
  };
}

function vllm({ upTo, one, some }: Draw): Record<string, unknown> {
  return {
    binary: one(['vllm', '/opt/vllm/bin/vllm']),
    servedModel: one(['mistral', 'mistralai/Mistral-7B']),
    aliases: some(['m', 'gpt-4']),
    context: upTo(64) * 1024,
    maxSeqs: upTo(512),
    maxBatchedTokens: upTo(32) * 1024,
    tensorParallel: one([1, 2, 4]),
    pipelineParallel: one([1, 2]),
    dataParallel: one([1, 2]),
    expertParallel: one([true, false]),
    executor: one(['mp', 'ray']),
    gpuMemoryUtilization: one([0.5, 0.92, 1]),
    quantization: one(['awq', 'gptq_marlin', 'compressed-tensors']),
    dtype: one(['auto', 'bfloat16']),
    kvCacheDtype: one(['auto', 'fp8_e4m3']),
    loadFormat: one(['auto', 'gguf']),
    chunkedPrefill: one([true, false]),
    prefixCaching: one([true, false]),
    enforceEager: one([true, false]),
    trustRemoteCode: one([true, false]),
    cpuOffload: one([0, 4.5]),
    swapSpace: upTo(8),
    blockSize: 16,
    seed: upTo(100) - 50,
    schedulingPolicy: one(['fcfs', 'priority']),
    tokenizer: 'org/tokenizer',
    tokenizerMode: one(['auto', 'mistral']),
    revision: one(['main', 'v1.0']),
    chatTemplate: one(['/m/t.jinja', '{{ messages }}']),
    autoToolChoice: one([true, false]),
    toolCallParser: 'hermes',
    reasoningParser: 'qwen3',
    lora: some(['sql=/m/sql', 'de=org/de-lora']),
    maxLoras: upTo(8),
    maxLoraRank: one([16, 64]),
    speculative: { model: 'org/small', num_speculative_tokens: upTo(5), nested: { a: [1, 'x y'] } },
    multimodalLimits: { image: upTo(4) },
    overrides: { rope_scaling: { rope_type: 'yarn', factor: 4.0 } },
    generationConfig: one(['vllm', 'auto']),
    sleepMode: one([true, false]),
    shutdownTimeout: `${upTo(60)}s`,
  };
}

function embedded({ upTo, one }: Draw): Record<string, unknown> {
  return {
    slots: upTo(16),
    context: upTo(32) * 256,
    threads: upTo(8),
    batch: upTo(32) * 16,
    flashAttention: one(['on', 'off', 'auto']),
    embeddings: one([true, false]),
    gpu: one(['off', 'auto', 'cuda', 'vulkan']),
    queue: upTo(100) - 1,
  };
}

/** Every engine that is both launched and recognised. */
export const madeUpOptions: Readonly<Record<string, MadeUp>> = {
  'llama.cpp': { make: llamaCpp, unseen: [...elsewhere, 'args', 'accelerator', 'build'] },
  'llama-router': { make: llamaRouter, unseen: [...elsewhere, 'args', 'slots', 'accelerator', 'build'] },
  vllm: { make: vllm, unseen: [...elsewhere, 'args', 'accelerator', 'version'] },
  embedded: { make: embedded, unseen: elsewhere },
};

/** Words that no server of today has as a flag, and what users write behind one: numbers, JSON, paths, texts with signs of shells. */
const flagParts = [
  'zig',
  'zag',
  'rope',
  'no',
  'spec',
  'x',
  'cache',
  'kv',
  'max',
  'model',
  'port',
  'tmp',
] as const;
const values = [
  '1',
  '-1',
  '-0.5e3',
  '',
  ' ',
  'a b',
  'x=y',
  'a,b',
  '{"a": [1, "x y"]}',
  '/m/with space/x',
  './x',
  '$(HOME)',
  '${X}',
  '$X',
  '"q"',
  "it's",
  '\\d+$',
  'ünï',
  'a\nb',
  '*',
  '~/x',
  '@file',
  '%h',
  '#no',
] as const;

/** Up to five flags that nobody knows, some of them twice, with and without values, joined and apart. */
export function unknownFlags(draw: Draw): string[] {
  return Array.from({ length: draw.upTo(5) }, () => {
    const name = `--zz-${draw.some(flagParts).join('-')}`;
    const value = draw.one(values);
    return draw.one([[name], [name, value], [`${name}=${value}`], [name, value, draw.one(['1', 'a b'])]]);
  }).flat();
}

/** Flags that berth has no option for, with and without values, as users pass them on. */
export const foreignArgs: readonly (readonly string[])[] = [
  [],
  ['--temp', '-1'],
  ['--made-up=x=y', '--other', 'a b', '-x'],
  ['--rope-scaling', 'yarn', '--yarn-orig-ctx', '4096', '--temp', '0.2', '--temp', '0.3'],
  ['--logit-bias', '15043-1', '--samplers', 'top_k;min_p', '--no-host'],
  // Flags of an option, with words that it does not know.
  ['--cache-type-v', 'turbo4', '--spec-type', 'draft-simple,dream'],
];
