import type { Granted } from './shared-claims.ts';

/** What one gateway has of one bound of an instance that several gateways send to. */
export interface Share {
  /** It may use so much of it. */
  readonly amount: number;
  /** Gateways that share it. */
  readonly gateways: number;
  /** What other gateways have work for and lack. */
  readonly hungry: number;
  /** What other gateways have in use, about. */
  readonly busy: number;
}

/** All in whole numbers: requests at once, tokens in a cache, or thousandths of a request per second. */
export interface Need {
  /** What the instance takes of all gateways together. */
  readonly capacity: number;
  readonly used: number;
  /** Of requests that wait here and could go there. */
  readonly waiting: number;
  /** What one more request takes. */
  readonly one: number;
}

/**
 * How much to claim, and how much of that may be used until the answer is there. While nobody else is short, a gateway
 * takes what it may soon need, and at least an even share, so that its next request goes at once. When others are short,
 * it keeps an even share at most, and of that what it needs and one request's more, or nothing while it has no work; where
 * there is less of it than gateways, who uses none lets the others have a `turn`.
 */
export function toClaim(share: Share | null, need: Need, turn: boolean): { ask: number; use: number } {
  const { capacity, used, waiting, one } = need;
  const wanted = wantedOf(need);
  const even = Math.floor(capacity / (share?.gateways ?? 1));
  if (!share || share.hungry === 0) {
    const ask = Math.min(capacity, Math.max(even, 2 * (used + waiting) + one));
    return { ask, use: Math.min(ask, share?.amount ?? ask) };
  }
  const ask =
    even === 0
      ? turn && used === 0
        ? Math.min(wanted, 1)
        : 0
      : Math.min(even, wanted > 0 ? wanted + one : 0);
  return { ask, use: Math.min(ask, share.amount) };
}

/** What there is work for. */
export function wantedOf({ capacity, used, waiting }: Need): number {
  return Math.min(capacity, used + waiting);
}

/** What was granted, of which no more may be used than was asked for: the rest is what is still under way. */
export function shareOf(asked: number, { granted, hungry, busy, gateways }: Granted): Share {
  return { amount: Math.min(granted, asked), gateways, hungry, busy };
}
