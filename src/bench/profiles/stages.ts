import { z } from 'zod';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('stages'),
  start: z.number().min(0).default(0).describe('Requests a second at the beginning.'),
  stages: z
    .array(
      z.strictObject({
        rate: z.number().min(0).max(100_000).describe('Requests a second at the end of this part.'),
        seconds: z.number().positive().describe('Length of this part; the rate changes evenly over it.'),
      }),
    )
    .min(1)
    .describe('Parts of one load, one after the other, without a pause between them.'),
  arrivals: z
    .enum(['constant', 'poisson'])
    .default('poisson')
    .describe('Evenly spaced, or at random as independent users do.'),
  maxInFlight: z
    .int()
    .positive()
    .default(1024)
    .describe('A start that would be one more in flight than this is dropped, and counted.'),
});

/** One open loop whose rate goes up and down. */
export const stages: Profile<'stages', z.infer<typeof Options>> = {
  kind: 'stages',
  title: 'requests a second that rise and fall over time',
  options: Options,
  ends: true,
  next: ({ start, stages: parts, arrivals, maxInFlight }, earlier) => {
    if (earlier.length > 0) return null;
    return {
      kind: 'open',
      arrivals: arrivals === 'constant' ? { process: 'constant' } : { process: 'gamma', shape: 1 },
      rate: parts.map(({ rate, seconds }, i) => ({ from: parts[i - 1]?.rate ?? start, to: rate, seconds })),
      maxInFlight,
    };
  },
};
