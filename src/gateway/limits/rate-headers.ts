import type { Bound } from './bounds.ts';
import { mostSeconds } from './refusals.ts';
import { carryOf, resetMs, usedOf } from './window.ts';
import type { Count } from './window.ts';

/** Where a bound is counted at that time. */
export type CountAt = (bound: Bound, wallMs: number) => Count;

const units = ['requests', 'tokens'] as const;

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI's API sends them, as lines of a head, of those
 * limits per minute that there are; where a key's and a model's both hold, of the one that is nearer. Reset: time until
 * nothing counts any more, in seconds ("42s"); of what takes longer a minute is told, and the rest then, as by Retry-After.
 */
export function rateLines(countAt: CountAt, bounds: readonly Bound[], wallMs: number): string {
  let lines = '';
  const carry = carryOf('minute', wallMs);
  for (const unit of units) {
    let nearest: Count | null = null;
    let limit = 0;
    let remaining = 0;
    for (const bound of bounds) {
      if (bound.unit !== unit || bound.window !== 'minute') continue;
      const count = countAt(bound, wallMs);
      const left = Math.max(0, Math.floor(bound.limit - usedOf(count, carry)));
      if (nearest !== null && left >= remaining) continue;
      nearest = count;
      limit = bound.limit;
      remaining = left;
    }
    if (nearest === null) continue;
    const name = names[unit];
    const seconds = Math.min(mostSeconds, Math.ceil(resetMs(nearest, wallMs) / 1000));
    lines += `${name.limit}${limit}${name.remaining}${remaining}${name.reset}${seconds}s\r\n`;
  }
  return lines;
}

/** The same as names and values in turn. */
export function rateHeaders(countAt: CountAt, bounds: readonly Bound[], wallMs: number): string[] {
  const lines = rateLines(countAt, bounds, wallMs).split('\r\n');
  return lines.filter((line) => line !== '').flatMap((line) => line.split(': '));
}

/** What stands before each number. */
const names = {
  requests: {
    limit: 'x-ratelimit-limit-requests: ',
    remaining: '\r\nx-ratelimit-remaining-requests: ',
    reset: '\r\nx-ratelimit-reset-requests: ',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens: ',
    remaining: '\r\nx-ratelimit-remaining-tokens: ',
    reset: '\r\nx-ratelimit-reset-tokens: ',
  },
} as const;
