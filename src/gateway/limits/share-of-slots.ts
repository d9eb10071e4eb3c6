import type { Granted } from './shared-claims.ts';

/** What one gateway has of an instance that several gateways send to. */
export interface Share {
  /** It may have so many under way there. */
  readonly slots: number;
  /** Gateways that share it. */
  readonly gateways: number;
  /** Requests that other gateways hold back for want of a slot. */
  readonly hungry: number;
}

export interface SlotNeed {
  /** What the instance serves at once. */
  readonly capacity: number;
  readonly inflight: number;
  /** Requests that wait here and could go there. */
  readonly waiting: number;
}

/**
 * The slots to claim, and how many of them may be used until the answer is there. While nobody else is short, a gateway
 * takes what it may soon need, and at least an even share, so that its next request goes at once. When others are short,
 * it keeps an even share at most, and of that what it needs and one more, or nothing while it has no work; where there are
 * fewer slots than gateways, who has none under way lets the others have a `turn`.
 */
export function slotsToClaim(
  share: Share | null,
  need: SlotNeed,
  turn: boolean,
): { ask: number; use: number } {
  const { capacity, inflight, waiting } = need;
  const wanted = Math.min(capacity, inflight + waiting);
  const even = Math.floor(capacity / (share?.gateways ?? 1));
  if (!share || share.hungry === 0) {
    const ask = Math.min(capacity, Math.max(even, 2 * wanted + 1));
    return { ask, use: Math.min(ask, share?.slots ?? ask) };
  }
  const ask =
    even === 0
      ? turn && inflight === 0
        ? Math.min(wanted, 1)
        : 0
      : Math.min(even, wanted > 0 ? wanted + 1 : 0);
  return { ask, use: Math.min(ask, share.slots) };
}

/** What was granted, of which no more may be used than was asked for: the rest is what is still under way. */
export function shareOf(asked: number, { granted, hungry, gateways }: Granted): Share {
  return { slots: Math.min(granted, asked), gateways, hungry };
}
