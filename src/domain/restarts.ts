import { z } from 'zod';

/** `ended`: it had ended by itself · `hung`: it ran and answered no longer. */
export const restartReasons = ['ended', 'hung'] as const;
export type RestartReason = (typeof restartReasons)[number];

/** How often a `berth up` has started which engine again, since it began. */
export const Restarts = z.array(
  z.strictObject({
    deployment: z.string(),
    replica: z.int().min(0),
    ended: z.int().min(0),
    hung: z.int().min(0),
    /** The last time that it hung. */
    hungAt: z.iso.datetime().nullable(),
  }),
);
export type Restarts = z.infer<typeof Restarts>;
