import { z } from 'zod';

/** How starts follow each other at a given mean rate. Gamma with shape 1 is Poisson; below 1 it comes in bursts. */
export const Arrivals = z.discriminatedUnion('process', [
  z.strictObject({ process: z.literal('constant') }),
  z.strictObject({ process: z.literal('gamma'), shape: z.number().positive() }),
  /** When the requests of a trace came, so many times faster. */
  z.strictObject({ process: z.literal('trace'), speed: z.number().positive() }),
]);
export type Arrivals = z.infer<typeof Arrivals>;

/** Requests a second over a time, changing evenly from one rate to the other; `seconds` null: to the stage's limit. */
export const RateSegment = z.strictObject({
  from: z.number().min(0),
  to: z.number().min(0),
  seconds: z.number().positive().nullable(),
});
export type RateSegment = z.infer<typeof RateSegment>;

export const Strategy = z.discriminatedUnion('kind', [
  /** Closed loop: so many streams, each sends its next request when its last one has ended. */
  z.strictObject({ kind: z.literal('closed'), streams: z.int().positive() }),
  /** Open loop: requests start when they are due, whatever has become of those before. */
  z.strictObject({
    kind: z.literal('open'),
    arrivals: Arrivals,
    /** Empty where a trace has the times. */
    rate: z.array(RateSegment),
    /** A start that would be one more in flight than this is dropped, and counted. */
    maxInFlight: z.int().positive(),
  }),
]);
export type Strategy = z.infer<typeof Strategy>;
