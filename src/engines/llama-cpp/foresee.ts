import { formatBytes } from '../../domain/format.ts';
import type { Foreseen, Place } from '../../domain/foresight.ts';
import type { LlamaCppOptions } from './options.ts';

const MiB = 1024 ** 2;
/** Images that are built for the CPU alone: ":server", ":server-b6000". */
const cpuImage = /llama\.cpp:(server|full|light)(-b\d+)?$/;

/** Options that are at odds with where the server is to run; it would start all the same. Pure. */
export function foresee(options: LlamaCppOptions, place: Place): Foreseen[] {
  return [
    ...throttled(options, place),
    ...cacheOverLimit(options, place),
    ...layersWithoutGpu(options, place),
  ];
}

function throttled({ threads }: LlamaCppOptions, { cpus }: Place): Foreseen[] {
  if (threads === undefined || cpus === null || threads <= Math.ceil(cpus)) return [];
  return [
    {
      rule: 'throttled-threads',
      message: `It computes with ${threads} threads, and its CPU limit is ${cpus}: the kernel stops all of them in turn, and each step waits for the one that is stopped.`,
      evidence: [`engine.threads ${threads}`, `CPU limit ${cpus}`],
      cure: `Set engine.threads to ${Math.max(1, Math.floor(cpus))}, or raise the limit.`,
    },
  ];
}

function cacheOverLimit({ cacheRam }: LlamaCppOptions, { memoryBytes, modelBytes }: Place): Foreseen[] {
  const cache = cacheRam * MiB;
  if (memoryBytes === null || cache === 0 || cache + modelBytes <= memoryBytes) return [];
  const beside = modelBytes === 0 ? '' : ` beside ${formatBytes(modelBytes)} of weights`;
  const fits = Math.max(0, Math.floor((memoryBytes - modelBytes) / 2 / MiB));
  return [
    {
      rule: 'prompt-cache-over-limit',
      message: `Its cache of prompts may grow to ${formatBytes(cache)}${beside}, and its memory limit is ${formatBytes(memoryBytes)}: it runs well for days, and is killed once enough different prompts have come.`,
      evidence: [`engine.cacheRam ${cacheRam} MiB`, `memory limit ${memoryBytes} bytes`],
      cure: `Set engine.cacheRam to ${fits}, or raise the limit.`,
    },
  ];
}

function layersWithoutGpu({ gpuLayers, accelerator }: LlamaCppOptions, { image, gpus }: Place): Foreseen[] {
  if (gpuLayers !== 'all' && !(typeof gpuLayers === 'number' && gpuLayers > 0)) return [];
  const forCpu = image !== null && cpuImage.test(image);
  if (!forCpu && !(gpus === 0 && accelerator === 'cpu')) return [];
  return [
    {
      rule: 'gpu-layers-without-gpu',
      message: `It asks for ${gpuLayers} layers on a GPU, and computes on the CPU: the flag is ignored without a word.`,
      evidence: [
        `engine.gpuLayers ${gpuLayers}`,
        forCpu ? `${image} is built for the CPU` : 'engine.accelerator cpu',
      ],
      cure: 'Give it a GPU (gpus, and engine.accelerator of its kind), or say 0 layers, so that nobody counts on more.',
    },
  ];
}
