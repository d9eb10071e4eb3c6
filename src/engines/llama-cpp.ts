import type { Engine } from './contract.ts';
import { llamaServerComputing } from './llama-cpp/computing.ts';
import { foresee } from './llama-cpp/foresee.ts';
import { launch } from './llama-cpp/launch.ts';
import { LlamaCppOptions } from './llama-cpp/options.ts';
import { identify } from './llama-cpp/identify.ts';
import { successorOf } from './llama-cpp/drift.ts';
import { meantVariable } from './llama-cpp/variables.ts';
import { loadProgress } from './llama-cpp/load-progress.ts';
import { llamaServerPaths } from './llama-cpp/paths.ts';
import { optionVariables, recognize } from './llama-cpp/recognize.ts';

/** llama.cpp's own server, `llama-server`, which the user has installed. */
export const llamaCpp = {
  kind: 'llama.cpp',
  title: 'llama.cpp (llama-server)',
  paths: llamaServerPaths,
  asItIs: { computing: llamaServerComputing, oneModel: true },
  options: LlamaCppOptions,
  needsModel: true,
  launch,
  memoryUse: (options, gpus) => ({
    context: options.context,
    slots: options.slots,
    ubatch: options.ubatch ?? 512,
    typeK: options.cacheTypeK ?? 'f16',
    typeV: options.cacheTypeV ?? 'f16',
    gpuLayers: typeof options.gpuLayers === 'number' ? options.gpuLayers : 'all',
    gpus,
    cacheBytes: options.cacheRam * 1024 ** 2,
  }),
  foresee,
  recognize,
  readsOptionsFrom: optionVariables,
  loadProgress,
  identify: {
    paths: ['/props'],
    read: identify,
    counters: {
      path: '/metrics',
      tokens: ['llamacpp:prompt_tokens_total', 'llamacpp:tokens_predicted_total'],
    },
  },
  meantVariable,
  successorOf,
  imagePin: { option: 'build', example: 'b6000' },
  help: (options) => [options.binary, '--help'],
} as const satisfies Engine<'llama.cpp', LlamaCppOptions>;
