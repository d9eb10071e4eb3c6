import { z } from 'zod';
import { drawLength } from '../../stats/lengths.ts';
import type { Lengths } from '../../stats/lengths.ts';
import { seededRandom } from '../../stats/random.ts';

const Spread = z
  .strictObject({
    mean: z.number().positive().optional().describe('Mean; of bounds alone it is their middle.'),
    stdev: z.number().min(0).optional().describe('Standard deviation.'),
    min: z.int().positive().optional().describe('Least; what is drawn below is drawn again.'),
    max: z.int().positive().optional().describe('Most; what is drawn above is drawn again.'),
    distribution: z
      .enum(['normal', 'uniform', 'lognormal'])
      .optional()
      .describe('Normal unless only bounds are given; those are uniform.'),
  })
  .refine(({ mean, min, max }) => mean !== undefined || (min !== undefined && max !== undefined), {
    message: 'it wants a mean, or both min and max',
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    message: 'min is above max',
  });

/** A number, or a distribution of numbers. */
export const LengthOptions = z.union([z.int().positive(), Spread]);

/**
 * The length of request `id`: of the seed and the id alone, whatever else is drawn for it. `what` keeps the lengths of
 * prompts and outputs apart.
 */
export function lengthAt(lengths: Lengths, seed: number, id: number, what: 'prompt' | 'output'): number {
  return typeof lengths === 'number'
    ? lengths
    : drawLength(lengths, seededRandom(seed, id, what === 'prompt' ? 1 : 2));
}
