import { z } from 'zod';
import { fixedRates, nextRate } from '../../domain/fixed-rates.ts';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('gamma'),
  ...fixedRates,
  shape: z
    .number()
    .positive()
    .describe('Smoothness: 1 is Poisson, below 1 starts come in bursts, far above 1 evenly.'),
});

/** An open loop whose gaps are gamma distributed: bursts, or more even than chance. */
export const gamma: Profile<'gamma', z.infer<typeof Options>> = {
  kind: 'gamma',
  title: 'so many requests start each second on average, in bursts or smoothly',
  options: Options,
  next: (options, earlier) => nextRate(options, { process: 'gamma', shape: options.shape }, earlier),
};
