import { z } from 'zod';

const count = z.int().min(0);

/** How the requests went that one of two engines was sent. What its client broke off, and 429, say nothing of an engine. */
export const TakeoverSide = z.object({
  good: count,
  failed: count,
  /** Failures by what they were: a status, or the code of a fault. */
  faults: z.record(z.string(), count),
  /** Milliseconds from the request to the first event of its stream, of the latest of them. */
  ttftMs: z.array(z.number()),
});
export type TakeoverSide = z.infer<typeof TakeoverSide>;

/** One engine takes over from another of the same replica: how both have done since the newer one's share was last changed. */
export const Takeover = z.object({
  /** Of the requests of their replica, that the newer one gets: 0 to 1. */
  share: z.number(),
  old: TakeoverSide,
  new: TakeoverSide,
});
export type Takeover = z.infer<typeof Takeover>;
