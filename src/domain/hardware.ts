import { z } from 'zod';

const bytes = z.int().min(0);

/** A GPU as its driver's tool tells it. Unknown is null: some drivers print no memory, power or processes. */
export const Gpu = z.strictObject({
  vendor: z.enum(['nvidia', 'amd']),
  index: z.int().min(0),
  uuid: z.string().nullable(),
  name: z.string(),
  memoryBytes: bytes.nullable(),
  memoryUsedBytes: bytes.nullable(),
  driver: z.string().nullable(),
  computeCapability: z.string().nullable(),
  /** Split into MIG instances, each of which serves as a GPU of its own. */
  mig: z.boolean().nullable(),
  utilizationPercent: z.number().nullable(),
  /** Who holds memory on it, as far as the driver tells; pids are those of the host. */
  processes: z.array(z.strictObject({ pid: z.int(), name: z.string(), memoryBytes: bytes.nullable() })),
});
export type Gpu = z.infer<typeof Gpu>;

export const Hardware = z.strictObject({
  cpu: z.strictObject({
    model: z.string().nullable(),
    /** Cores that this process may run on; hyper-threads of one core count once. */
    physicalCores: z.int().positive(),
    logicalCores: z.int().positive(),
    /** CPU time that the control group allows, in cores; null without a limit. */
    quotaCores: z.number().positive().nullable(),
    /** The instruction sets that matter to inference. */
    features: z.array(z.string()),
  }),
  memory: z.strictObject({
    totalBytes: bytes,
    availableBytes: bytes.nullable(),
    /** Limit of the control group; null without one. */
    limitBytes: bytes.nullable(),
  }),
  gpus: z.array(Gpu),
  /** Why GPUs could not be asked for, one sentence each. */
  notes: z.array(z.string()),
});
export type Hardware = z.infer<typeof Hardware>;

/** Whole cores that can really compute at once: the physical ones, or the quota where it is less; at least 1. */
export function usableCores(cpu: Hardware['cpu']): number {
  return Math.max(1, Math.min(cpu.physicalCores, Math.floor(cpu.quotaCores ?? cpu.physicalCores)));
}
