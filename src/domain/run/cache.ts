import { z } from 'zod';

/**
 * What a run lets the server's prefix cache do. cold: every prompt is unique and the server is asked not to reuse one;
 * warm: it may, and synthetic prompts that share nothing by themselves come again and again; shared: that share of every
 * prompt is the same text.
 */
export const CacheState = z.union([
  z.enum(['cold', 'warm']),
  z.strictObject({ shared: z.number().gt(0).lt(1).describe('Share of each prompt that is the same.') }),
]);
export type CacheState = z.infer<typeof CacheState>;

/** The share of a prompt that all prompts have in common; null where nobody asked for one. */
export function sharedPart(cache: CacheState): number | null {
  return typeof cache === 'string' ? null : cache.shared;
}

/** "cold", "warm", "shared 0.5". */
export function cacheLabel(cache: CacheState): string {
  return typeof cache === 'string' ? cache : `shared ${cache.shared}`;
}
