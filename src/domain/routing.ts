import { z } from 'zod';
import { StickyBy } from './sticky-by.ts';

/** A policy and its options; the registry of policies knows what each kind may say. */
export const PolicyChoice = z.looseObject({ kind: z.string() });
export type PolicyChoice = z.infer<typeof PolicyChoice>;

/** How clients are held to one of a route's deployments. */
export const Split = z.strictObject({
  by: StickyBy,
  salt: z
    .string()
    .min(1)
    .optional()
    .describe('Another salt deals all clients out anew (default: the name of the route).'),
});
export type Split = z.infer<typeof Split>;
