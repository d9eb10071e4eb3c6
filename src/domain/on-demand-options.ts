import { z } from 'zod';
import { ByteSize, Duration } from './units.ts';

/** Keys of the fleet file for models that are started by their first request. */
export const MemoryOption = z
  .union([
    ByteSize,
    z.strictObject({
      host: ByteSize.optional().describe('Memory of the machine.'),
      gpu: ByteSize.optional().describe('Memory of its GPUs together.'),
    }),
  ])
  .describe('Memory of each replica: of the GPUs where it is given some, else of the machine; or both.');

export const OnDemandOptions = z
  .strictObject({
    memory: ByteSize.optional().describe(
      'Memory for all of them together (default: what others and the models that always run leave).',
    ),
    gpuMemory: ByteSize.optional().describe('The same of the GPUs.'),
    sets: z
      .array(z.array(z.string()).min(1))
      .optional()
      .describe('Which may run together (default: all that fit). One that is in no set runs alone.'),
    patience: Duration.optional().describe(
      'How long requests wait for a model while others keep theirs busy (default: as long as both take to load).',
    ),
  })
  .describe('Bounds on the models with `load: on-demand`.');
export type OnDemandOptions = z.infer<typeof OnDemandOptions>;
