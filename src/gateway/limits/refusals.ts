import { ApiError } from '../../domain/openai.ts';
import type { Bound, Subject } from './bounds.ts';
import type { Refusal } from './book.ts';
import { anonymous } from '../front/caller.ts';

/**
 * Refusals that name the caller's own limit. `random` (0..1) spreads those who would all come back at once; `answers`: a part of what
 * the request may take is an answer that its client can bound.
 */
export function overRate(
  refusal: Refusal,
  { headers, random, answers }: { headers: readonly string[]; random: number; answers: boolean },
): ApiError {
  const { bound, waitMs } = refusal;
  if (waitMs === null) return overBudget(refusal);
  return new ApiError({
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: `${whose(bound)} ${howFull(refusal, answers)}`,
    retryAfter: seconds(waitMs, random),
    headers,
    limit: { scope: bound.scope, reason: bound.unit },
  });
}

/** A request may be too large for what is left, though the limit has not been reached. */
function howFull({ bound, amount, left }: Refusal, answers: boolean): string {
  const limit = `its limit of ${bound.limit} ${bound.unit} per minute`;
  if (left < 1) return `has reached ${limit}.`;
  const cure = answers ? 'A smaller max_tokens makes it smaller.' : 'Less input at once makes it smaller.';
  return `has ${Math.floor(left)} left of ${limit}, and this request may take ${Math.ceil(amount)}. ${cure}`;
}

/** No wait of a client's making helps here: no Retry-After, and clients of OpenAI's making are told not to try again. */
function overBudget({ bound }: Refusal): ApiError {
  const amount = bound.unit === 'usd' ? `$${bound.limit}` : `${bound.limit} ${bound.unit}`;
  return new ApiError({
    status: 429,
    type: 'rate_limit_error',
    code: 'insufficient_quota',
    message: `${whose(bound)} has spent its budget of ${amount} for this ${bound.window} (UTC).`,
    headers: ['x-should-retry', 'false'],
    limit: { scope: bound.scope, reason: 'budget' },
  });
}

/** `meanMs`: how long its requests took so far; one of them ends in about that time, shared by all under way. */
export function tooManyAtOnce(
  subject: Subject,
  meanMs: number,
  headers: readonly string[],
  random: number,
): ApiError {
  return new ApiError({
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: `${whose(subject)} has ${subject.concurrent} requests under way, which is its limit.`,
    retryAfter: seconds(meanMs / subject.concurrent, random),
    headers,
    limit: { scope: subject.scope, reason: 'concurrent' },
  });
}

/** By the name that whoever made the key gave it: only those who hold it read this. */
function whose({ id, scope, title }: Pick<Bound, 'id' | 'scope' | 'title'>): string {
  if (scope === 'model') return `The model "${title}", over all keys,`;
  const isAnybody = id === withoutKey || id.startsWith(`${withoutKey}:`);
  return isAnybody ? 'This gateway, over all who show no key,' : `The key "${title}"`;
}

const withoutKey = `key:${anonymous.id}`;

/** Clients of OpenAI's making pass over a longer time and come back almost at once; one that is refused again is told the rest. */
export const mostSeconds = 60;

function seconds(ms: number, random: number): number {
  const wanted = Math.ceil((ms * (1 + random * 0.2)) / 1000);
  return Math.max(1, Math.min(wanted, Math.ceil(mostSeconds * (1 - random * 0.1))));
}
