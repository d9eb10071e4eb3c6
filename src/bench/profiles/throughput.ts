import { z } from 'zod';
import { rampUp } from '../../domain/fixed-rates.ts';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('throughput'),
  maxInFlight: z
    .int()
    .positive()
    .max(10_000)
    .default(256)
    .describe('How many requests may be in flight at once.'),
  rampUp,
});

/** As fast as the server answers: more requests in flight than it works on. */
export const throughput: Profile<'throughput', z.infer<typeof Options>> = {
  kind: 'throughput',
  title: 'as much as the server can do, with a queue before it all the time',
  options: Options,
  next: ({ maxInFlight, rampUp: ramp }, earlier) => {
    if (earlier.length > 0) return null;
    return { kind: 'closed', streams: maxInFlight, ...(ramp !== undefined && { rampSeconds: ramp }) };
  },
};
