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
  const headers: string[] = [];
  const carry = carryOf('minute', wallMs);
  for (const unit of units) {
    let nearest: Count | null = null;
    let limit = 0;
    let remaining = 0;
    for (const bound of bounds) {
      if (bound.unit !== unit || bound.window !== 'minute') continue;
      const count = countOf(bound);
      const left = Math.max(0, Math.floor(bound.limit - usedOf(count, carry)));
      if (nearest !== null && left >= remaining) continue;
      nearest = count;
      limit = bound.limit;
      remaining = left;
    }
    if (nearest === null) continue;
    const { limit: ofLimit, remaining: ofRemaining, reset } = names[unit];
    const seconds = Math.ceil(resetMs(nearest, wallMs) / 1000);
    headers.push(ofLimit, String(limit), ofRemaining, String(remaining), reset, `${seconds}s`);
  }
  return headers;
}

/** Whole names: one joined for each request would have to be hashed for each request. */
const names = {
  requests: {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
} as const;
