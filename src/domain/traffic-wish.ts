import { z } from 'zod';

/**
 * What one gateway asks the others of its fleet to do as well, by names that mean the same in all of them. `shift` is for
 * their control processes: each takes in its fleet file and what runs now.
 */
export const TrafficWish = z.discriminatedUnion('do', [
  z.object({ do: z.literal('hold'), deployment: z.string() }),
  z.object({ do: z.literal('release'), deployment: z.string() }),
  z.object({ do: z.literal('drain'), engine: z.string(), graceMs: z.number().min(0) }),
  z.object({ do: z.literal('resume'), engine: z.string() }),
  z.object({ do: z.literal('shift'), to: z.unknown() }),
]);
export type TrafficWish = z.infer<typeof TrafficWish>;

/** What became of a wish at one gateway. */
export const WishAnswer = z.object({
  /** Requests that are still under way at that engine. */
  left: z.number().min(0),
  /** Why it was not done; absent: it was. */
  fault: z.string().optional(),
});
export type WishAnswer = z.infer<typeof WishAnswer>;

/** What a wish is about: a later one about the same takes its place. */
export function subjectOf(wish: TrafficWish): string {
  switch (wish.do) {
    case 'hold':
    case 'release':
      return `deployment ${wish.deployment}`;
    case 'drain':
    case 'resume':
      return `engine ${wish.engine}`;
    case 'shift':
      return 'shift';
  }
}
