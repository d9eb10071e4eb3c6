import { z } from 'zod';
import { Mark } from './instance.ts';

/** An engine as it answered once: all that is needed to have it so again. Secrets are references. */
export const RanState = z.strictObject({
  /** When the change that brought it began; what one `berth apply` brings has one moment. */
  at: z.iso.datetime(),
  target: Mark.shape.target,
  address: z.string(),
  port: z.int(),
  /** The file named that port; else it was one of the pool, and another will do. */
  pinned: z.boolean(),
  declared: Mark.shape.declared,
  spec: Mark.shape.spec,
});
export type RanState = z.infer<typeof RanState>;

/** What ran in one place, in its order; the last is the newest. */
export const RanStates = z.strictObject({ version: z.literal(1), states: z.array(RanState) });
export type RanStates = z.infer<typeof RanStates>;
