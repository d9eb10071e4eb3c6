import { z } from 'zod';
import { PositiveDuration } from '../../domain/units.ts';
import { accelerators } from '../../domain/launch-spec.ts';
import { ownedFlags, secretEnv, secretFlags } from './flags.ts';

const count = z.int().positive();

/** Keys of `engine:` for llama.cpp's own server. Sizes are per request where the name says so; memory is in MiB. */
export const LlamaCppOptions = z.strictObject({
  kind: z.literal('llama.cpp'),
  binary: z.string().min(1).default('llama-server').describe('program: a name on PATH or a path'),
  accelerator: z
    .enum(accelerators)
    .optional()
    .describe('what it computes on; by default cuda with GPUs, else cpu'),
  slots: count.default(1).describe('requests that are answered at once'),
  context: count.default(4096).describe('tokens per request, prompt and answer together'),
  gpuLayers: z
    .union([z.int().min(0), z.enum(['auto', 'all'])])
    .optional()
    .describe('layers on the GPU; by default all with GPUs, else 0'),
  batch: count.optional().describe('most prompt tokens submitted at once'),
  ubatch: count.optional().describe('most prompt tokens computed at once'),
  threads: count.optional().describe('compute threads; by default one less than the physical cores'),
  threadsBatch: count.optional().describe('compute threads for prompts'),
  cacheRam: z.int().min(0).default(1024).describe('MiB of host memory for cached prompts; 0: none'),
  flashAttention: z.enum(['on', 'off', 'auto']).optional().describe('flash attention'),
  cacheTypeK: z.string().optional().describe('type of the K cache, such as f16 or q8_0'),
  cacheTypeV: z.string().optional().describe('type of the V cache'),
  loadMode: z
    .enum(['auto', 'none', 'mmap', 'mlock', 'mmap+mlock', 'dio'])
    .optional()
    .describe('how the weights are read'),
  embeddings: z.boolean().default(false).describe('answer /v1/embeddings'),
  alias: z
    .string()
    .min(1)
    .optional()
    .describe('model name it reports; by default the name of the deployment'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .superRefine(refuseSecretEnv)
    .describe('further environment variables, no secrets'),
  args: z
    .array(z.string())
    .default([])
    .superRefine(refuseOwnedArgs)
    .describe('further flags, passed as they are'),
  startTimeout: PositiveDuration.prefault('10m').describe('time until it must answer'),
});
export type LlamaCppOptions = z.infer<typeof LlamaCppOptions>;

function refuseSecretEnv(env: Record<string, string>, context: z.core.$RefinementCtx): void {
  for (const name of Object.keys(env)) {
    if (!secretEnv.test(name)) continue;
    refuse(context, [name], {
      message: `${name} would put a secret into the fleet file.`,
      cure: 'Leave it out: berth keeps the server on loopback, and its models are files of this machine.',
    });
  }
}

function refuseOwnedArgs(args: string[], context: z.core.$RefinementCtx): void {
  args.forEach((word, index) => {
    const flag = word.split('=')[0] ?? '';
    const owner = ownedFlags.get(flag);
    if (secretFlags.has(flag)) {
      refuse(context, [index], {
        message: `${flag} would show a secret in the process list.`,
        cure: 'Leave it out: berth keeps the server on loopback, and the gateway asks clients for keys.',
      });
    } else if (owner) {
      const cure = owner === 'berth' ? 'Leave it out.' : `Leave it out, and set ${owner}.`;
      refuse(context, [index], { message: `${flag} is set by berth.`, cure });
    }
  });
}

function refuse(
  context: z.core.$RefinementCtx,
  path: (string | number)[],
  fault: { message: string; cure: string },
): void {
  context.addIssue({ code: 'custom', path, message: fault.message, params: { cure: fault.cure } });
}
