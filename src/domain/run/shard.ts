import { z } from 'zod';

/** One client of several that make one run together. */
export const Shard = z.strictObject({
  /** 1 to `of`. */
  index: z.int().positive(),
  of: z.int().min(2),
  /** When all of them begin, by the clock of each machine; null: as soon as each is ready. */
  startAt: z.iso.datetime().nullable(),
});
export type Shard = z.infer<typeof Shard>;
