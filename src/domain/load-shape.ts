import { z } from 'zod';
import { Talk } from './talk.ts';

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

/** The load grows evenly for so long, as a part of the warm-up; absent: it is whole at once. */
const rampSeconds = z.number().positive().optional();

export const Strategy = z.discriminatedUnion('kind', [
  /**
   * Closed loop: so many streams, each sends its next request when its last one has ended. With `talk` each stream is a
   * conversation, and the next one after it.
   */
  z.strictObject({
    kind: z.literal('closed'),
    streams: z.int().positive(),
    talk: Talk.optional(),
    rampSeconds,
  }),
  /** Open loop: requests start when they are due, whatever has become of those before. */
  z.strictObject({
    kind: z.literal('open'),
    arrivals: Arrivals,
    /** Empty where a trace has the times. */
    rate: z.array(RateSegment),
    /** A start that would be one more in flight than this is dropped, and counted. */
    maxInFlight: z.int().positive(),
    /** What starts is a conversation: its first turn by the schedule, each later one after the answer before it. */
    talk: Talk.optional(),
    rampSeconds,
  }),
]);
export type Strategy = z.infer<typeof Strategy>;
