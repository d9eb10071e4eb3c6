import { z } from 'zod';
import { EngineEnv } from '../../domain/engine-env.ts';
import { PositiveDuration } from '../../domain/units.ts';
import { accelerators } from '../../domain/accelerators.ts';
import { refuseOwnedFlags, refuseSecretEnv } from '../../domain/command-line/refuse-words.ts';
import { llamaDrift } from './drift.ts';
import { ownedFlags, secretFlags, wordsOf } from './flags.ts';
import { cacheTypes, draftingWays } from './words.ts';

const count = z.int().positive();
const path = z.string().startsWith('/', { error: 'It must be an absolute path of the host.' });
const givenPath = z.string().min(1);
const layers = z.union([z.int().min(0), z.enum(['auto', 'all'])]);
const word = z.string().regex(/^[^\s,-][^\s,]*$/);

export const accelerator = z
  .enum(accelerators)
  .optional()
  .describe('what it computes on; by default cuda with GPUs, else cpu');

export const build = z
  .string()
  .regex(/^b\d+$/)
  .optional()
  .describe(
    'in a container: build of the image, such as b6000, and in whose words its flags are written; without it the newest',
  );

/** Keys of `engine:` for llama.cpp's own server. Sizes are per request where the name says so; memory is in MiB. */
export const LlamaCppOptions = z.strictObject({
  kind: z.literal('llama.cpp'),
  binary: z.string().min(1).default('llama-server').describe('program: a name on PATH or a path'),
  accelerator,
  slots: count.default(1).describe('requests that are answered at once'),
  context: count.default(4096).describe('tokens per request, prompt and answer together'),
  gpuLayers: layers.optional().describe('layers on the GPU; by default all with GPUs, else 0'),
  batch: count.optional().describe('most prompt tokens submitted at once'),
  ubatch: count.optional().describe('most prompt tokens computed at once'),
  threads: count.optional().describe('compute threads; by default one less than the physical cores'),
  threadsBatch: count.optional().describe('compute threads for prompts'),
  cacheRam: z.int().min(0).default(1024).describe('MiB of host memory for cached prompts; 0: none'),
  flashAttention: z.enum(['on', 'off', 'auto']).optional().describe('flash attention'),
  cacheTypeK: z
    .enum(cacheTypes)
    .optional()
    .describe('type of the K cache; another one that a build has goes into args'),
  cacheTypeV: z.enum(cacheTypes).optional().describe('type of the V cache'),
  loadMode: z
    .enum(['auto', 'none', 'mmap', 'mlock', 'mmap+mlock', 'dio'])
    .optional()
    .describe('how the weights are read'),
  threadsHttp: count.optional().describe('threads that answer HTTP'),
  kvOffload: z.boolean().optional().describe('keep the KV cache on the GPU'),
  kvUnified: z.boolean().optional().describe('one KV cache that all slots share'),
  swaFull: z.boolean().default(false).describe('full cache for layers with a sliding window'),
  cacheReuse: z.int().min(0).optional().describe('least tokens of a cached piece that is reused by shifting'),
  contextShift: z
    .boolean()
    .optional()
    .describe('drop the oldest tokens where an answer outgrows the context'),
  devices: z.array(word).min(1).optional().describe('devices by name, as --list-devices prints them'),
  splitMode: z
    .enum(['none', 'layer', 'row', 'tensor'])
    .optional()
    .describe('how the model is split over several GPUs'),
  tensorSplit: z.array(z.number().min(0)).min(2).optional().describe('share of each GPU, such as [3, 1]'),
  mainGpu: z.int().min(0).optional().describe('the GPU that computes alone, or that holds what is not split'),
  fit: z.enum(['on', 'off']).optional().describe('let the server change what is not set, to fit into memory'),
  cpuMoe: z.boolean().default(false).describe('keep the experts of all layers in host memory'),
  cpuMoeLayers: z.int().min(0).optional().describe('keep the experts of the first layers in host memory'),
  overrideTensor: z.string().min(1).optional().describe('PATTERN=BUFFER of tensors that lie elsewhere'),
  numa: z.enum(['distribute', 'isolate', 'numactl']).optional().describe('how NUMA nodes are used'),
  mmprojOffload: z.boolean().optional().describe('put the projector on the GPU'),
  imageMinTokens: count.optional().describe('fewest tokens of one image'),
  imageMaxTokens: count.optional().describe('most tokens of one image'),
  lora: z.array(path).min(1).optional().describe('LoRA adapters, at their full strength'),
  loraScaled: z
    .array(
      z.string().regex(/^\/.*:-?[\d.]+$/, { error: 'It must be PATH:SCALE, such as /m/style.gguf:0.5.' }),
    )
    .min(1)
    .optional()
    .describe('LoRA adapters as PATH:SCALE'),
  loraUnapplied: z.boolean().default(false).describe('load the adapters; POST /lora-adapters applies them'),
  draftModel: path.optional().describe('small model that drafts tokens for the large one'),
  draftGpuLayers: layers.optional().describe('layers of the drafting model on the GPU'),
  draftDevices: z.array(word).min(1).optional().describe('devices of the drafting model'),
  draftMax: count.optional().describe('most tokens drafted at once'),
  draftMin: z.int().min(0).optional().describe('fewest tokens drafted at once'),
  draftProbability: z.number().min(0).max(1).optional().describe('least probability of a drafted token'),
  speculative: z
    .array(z.enum(draftingWays))
    .min(1)
    .optional()
    .describe('ways of drafting; others that a build has go into args'),
  embeddings: z.boolean().default(false).describe('answer /v1/embeddings'),
  rerank: z.boolean().default(false).describe('answer /v1/rerank'),
  pooling: z
    .enum(['none', 'mean', 'cls', 'last', 'rank'])
    .optional()
    .describe('how embeddings are made of tokens'),
  jinja: z.boolean().optional().describe("use the model's own chat template, which tools need"),
  chatTemplate: z.string().min(1).optional().describe('name of a built-in chat template'),
  chatTemplateFile: givenPath
    .optional()
    .describe('file of a chat template, beside the fleet file or with "/" of the host'),
  reasoningFormat: word.optional().describe('how thoughts are told apart, such as deepseek or none'),
  reasoningBudget: z.int().min(-1).optional().describe('tokens of thought; -1: no bound, 0: none'),
  warmup: z.boolean().optional().describe('an empty run after the load'),
  build,
  alias: z
    .string()
    .min(1)
    .optional()
    .describe('model name it reports; by default the name of the deployment'),
  env: EngineEnv.default({})
    .superRefine(refuseSecretEnv)
    .describe('further environment variables; a secret as {secret: …}, in a cluster'),
  args: z
    .array(z.string())
    .default([])
    .superRefine(
      refuseOwnedFlags({ owned: ownedFlags, secret: secretFlags, style: llamaDrift.style, wordsOf }),
    )
    .describe('further flags, passed as they are'),
  startTimeout: PositiveDuration.prefault('10m').describe('time until it must answer'),
});
export type LlamaCppOptions = z.infer<typeof LlamaCppOptions>;
