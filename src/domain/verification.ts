import { z } from 'zod';

/**
 * `object`: what should run is there, once · `current`: it runs as the file says · `ready`: its own path of readiness answers ·
 * `answers`: it answers a request for one token · `model`: it serves the model of the file · `route`: the gateway answers under
 * that name, from one of its deployments.
 */
export const checkKinds = ['object', 'current', 'ready', 'answers', 'model', 'route'] as const;
export const checkOutcomes = ['passed', 'failed', 'skipped'] as const;

export const Check = z.strictObject({
  check: z.enum(checkKinds),
  deployment: z.string(),
  /** Null for a route, and for a server elsewhere. */
  replica: z.int().nullable(),
  outcome: z.enum(checkOutcomes),
  /** What was looked at: an object, a URL, the name of a route. */
  at: z.string(),
  /** What was seen. */
  evidence: z.string(),
  /** What to do; null where nothing has to be done. */
  cure: z.string().nullable(),
});
export type Check = z.infer<typeof Check>;

export const Verification = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  at: z.iso.datetime(),
  passed: z.boolean(),
  checks: z.array(Check),
});
export type Verification = z.infer<typeof Verification>;
