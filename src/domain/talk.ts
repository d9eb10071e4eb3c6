import { z } from 'zod';

/** A distribution of numbers; what is drawn outside its bounds is drawn again. */
export const NumberSpread = z.strictObject({
  mean: z.number().positive().optional().describe('Mean; of bounds alone it is their middle.'),
  stdev: z.number().min(0).optional().describe('Standard deviation.'),
  min: z.number().min(0).optional().describe('Least; what is drawn below is drawn again.'),
  max: z.number().positive().optional().describe('Most; what is drawn above is drawn again.'),
  distribution: z
    .enum(['normal', 'uniform', 'lognormal', 'exponential'])
    .optional()
    .describe('Normal unless only bounds are given; those are uniform.'),
});
export type NumberSpread = z.infer<typeof NumberSpread>;

/** How a conversation goes: how many turns it has, and how long its user thinks before each but the first. */
export const Talk = z.strictObject({
  /** Null: as many as each conversation of the data has. */
  turns: z.union([z.int().positive(), NumberSpread]).nullable(),
  thinkSeconds: z.union([z.number().min(0), NumberSpread]),
  /** What all conversations begin with: a text, or one of so many tokens. */
  system: z.union([z.int().positive(), z.string()]).nullable(),
});
export type Talk = z.infer<typeof Talk>;

/** Most turns that a conversation may have: its prompts are numbered within this. */
export const mostTurns = 500;
