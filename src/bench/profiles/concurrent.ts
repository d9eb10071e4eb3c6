import { z } from 'zod';
import { rampUp } from '../../domain/fixed-rates.ts';
import type { Strategy } from '../../domain/load-shape.ts';
import type { Profile } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('concurrent'),
  streams: z
    .array(z.int().positive().max(10_000))
    .min(1)
    .describe('How many requests are in flight at once; one stage for each number.'),
  rampUp,
});

type Options = z.infer<typeof Options>;

function list(options: Options): Strategy[] {
  const ramp = options.rampUp === undefined ? {} : { rampSeconds: options.rampUp };
  return options.streams.map((streams) => ({ kind: 'closed', streams, ...ramp }));
}

/** A closed loop of N streams, stage by stage. */
export const concurrent: Profile<'concurrent', Options> = {
  kind: 'concurrent',
  title: 'so many requests in flight at once, stage by stage',
  options: Options,
  list,
  next: (options, earlier) => list(options)[earlier.length] ?? null,
};
