import { z } from 'zod';
import { ByteSize } from '../domain/units.ts';

const Toleration = z.strictObject({
  key: z.string().min(1).optional().describe('key of the taint; by default every one'),
  operator: z.enum(['Exists', 'Equal']).optional().describe('whether its value counts'),
  value: z.string().optional().describe('value of the taint'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .optional()
    .describe('effect of the taint; by default all'),
  tolerationSeconds: z.int().min(0).optional().describe('how long it is borne'),
});

/** Keys of `target:` that say how a pod is made, for all targets of a cluster. */
export const podOptions = {
  image: z
    .string()
    .min(1)
    .optional()
    .describe("image; by default the engine's own for what it computes on")
    .meta({ examples: ['ghcr.io/ggml-org/llama.cpp:server-b9000'] }),
  entrypoint: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("program in the image, before the engine's arguments"),
  nodeSelector: z.record(z.string(), z.string()).default({}).describe('labels that its node must have'),
  node: z.string().min(1).optional().describe('name of the one node that it may run on'),
  tolerations: z.array(Toleration).default([]).describe('taints of nodes that it bears, beside that of GPUs'),
  gpuResource: z
    .string()
    .min(1)
    .optional()
    .describe(
      "name by which the cluster counts GPUs, in place of the maker's usual one; Vulkan has no usual one",
    )
    .meta({ examples: ['nvidia.com/mig-1g.10gb'] }),
  shm: ByteSize.optional().describe('shared memory; by default what the engine asks for'),
  serviceAccount: z.string().min(1).optional().describe('service account that it runs as'),
  pullSecrets: z
    .array(z.string().min(1))
    .default([])
    .describe('names of Secrets that hold the keys of registries'),
};

export type PodOptions = z.infer<z.ZodObject<typeof podOptions>>;
