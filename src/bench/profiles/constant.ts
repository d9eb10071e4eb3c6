import { z } from 'zod';
import { fixedRates, nextRate } from '../../domain/fixed-rates.ts';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({ kind: z.literal('constant'), ...fixedRates });

/** An open loop with even gaps between starts. */
export const constant: Profile<'constant', z.infer<typeof Options>> = {
  kind: 'constant',
  title: 'so many requests start each second, evenly spaced',
  options: Options,
  next: (options, earlier) => nextRate(options, { process: 'constant' }, earlier),
};
