import type { Bound } from './bounds.ts';
import { carryOf, resetMs, usedOf } from './window.ts';
import type { Count } from './window.ts';

const units = ['requests', 'tokens'] as const;

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI's API sends them, names and values in turn, of those
 * limits per minute that there are; where a key's and a model's both hold, of the one that is nearer. Reset: time until
 * nothing counts any more, in seconds ("72s").
 */
export function rateHeaders(
  countOf: (bound: Bound) => Count,
  bounds: readonly Bound[],
  wallMs: number,
): string[] {
  return units.flatMap((unit) => {
    let nearest: { limit: number; remaining: number; resetMs: number } | null = null;
    for (const bound of bounds) {
      if (bound.unit !== unit || bound.window !== 'minute') continue;
      const count = countOf(bound);
      const used = usedOf(count, carryOf('minute', wallMs));
      const remaining = Math.max(0, Math.floor(bound.limit - used));
      if (nearest === null || remaining < nearest.remaining)
        nearest = { limit: bound.limit, remaining, resetMs: resetMs(count, wallMs) };
    }
    if (nearest === null) return [];
    return [
      [`x-ratelimit-limit-${unit}`, String(nearest.limit)],
      [`x-ratelimit-remaining-${unit}`, String(nearest.remaining)],
      [`x-ratelimit-reset-${unit}`, `${Math.ceil(nearest.resetMs / 1000)}s`],
    ].flat();
  });
}
