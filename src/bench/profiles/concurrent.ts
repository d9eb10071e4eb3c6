import { z } from 'zod';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('concurrent'),
  streams: z
    .array(z.int().positive().max(10_000))
    .min(1)
    .describe('How many requests are in flight at once; one stage for each number.'),
});

/** A closed loop of N streams, stage by stage. */
export const concurrent: Profile<'concurrent', z.infer<typeof Options>> = {
  kind: 'concurrent',
  title: 'so many requests in flight at once, stage by stage',
  options: Options,
  next: ({ streams }, earlier) => {
    const wanted = streams[earlier.length];
    return wanted === undefined ? null : { kind: 'closed', streams: wanted };
  },
};
