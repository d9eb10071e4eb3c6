import { z } from 'zod';
import { fixedRates, nextRate } from '../../domain/fixed-rates.ts';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({ kind: z.literal('poisson'), ...fixedRates });

/** An open loop as many independent users make it: exponential gaps, one generator for all. */
export const poisson: Profile<'poisson', z.infer<typeof Options>> = {
  kind: 'poisson',
  title: 'so many requests start each second on average, at random as independent users do',
  options: Options,
  next: (options, earlier) => nextRate(options, { process: 'gamma', shape: 1 }, earlier),
};
