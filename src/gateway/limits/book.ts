import { amountOf, chargeOf, needOf } from './bounds.ts';
import type { Amounts, Bound } from './bounds.ts';
import { carryOf, emptyCount, giveBack, roll, slotOf, usedOf, waitForRoom } from './window.ts';
import type { Count } from './window.ts';

/** What was counted, by the id of the bound. */
export type Book = Map<string, Count>;

/** What one request was charged, so that it can be corrected in the slots that it was charged to. */
export interface Charge {
  readonly bounds: readonly Bound[];
  readonly slots: readonly number[];
  readonly amounts: Amounts;
}

export interface Refusal {
  readonly bound: Bound;
  /** What the request would take, and what was left of the bound. */
  readonly amount: number;
  readonly left: number;
  /** Milliseconds until it would fit; null for a budget, which no short wait helps. */
  readonly waitMs: number | null;
}

/** Charges all bounds, or none and tells the first that refuses. */
export function take(
  book: Book,
  bounds: readonly Bound[],
  amounts: Amounts,
  wallMs: number,
): Charge | Refusal {
  for (const bound of bounds) {
    const refusal = refusalOf(countOf(book, bound, wallMs), bound, amounts, wallMs);
    if (refusal) return refusal;
  }
  return charge(book, bounds, amounts, wallMs);
}

/** Charges whatever the limits say: for what another book has admitted. */
export function charge(book: Book, bounds: readonly Bound[], amounts: Amounts, wallMs: number): Charge {
  const slots: number[] = [];
  for (const bound of bounds) {
    const count = countOf(book, bound, wallMs);
    count.current += chargeOf(bound, amounts);
    slots.push(count.slot);
  }
  return { bounds, slots, amounts };
}

/** Null: it fits. */
export function refusalOf(count: Count, bound: Bound, amounts: Amounts, wallMs: number): Refusal | null {
  const { limit } = bound;
  const need = needOf(bound, amounts);
  const used = usedOf(count, carryOf(bound.window, wallMs));
  if (used + need <= limit) return null;
  const waitMs = bound.window === 'minute' ? waitForRoom(count, { need, limit }, wallMs) : null;
  return { bound, amount: amountOf(amounts, bound.unit), left: Math.max(0, limit - used), waitMs };
}

/**
 * Puts the real amounts in place of those that were charged; null: nothing was served, all is given back. What was
 * charged too much goes back to the slot that it was charged to, and what was charged too little counts from now on.
 */
export function settle(book: Book, charged: Charge, real: Amounts | null, wallMs: number): void {
  for (let i = 0; i < charged.bounds.length; i += 1) {
    const bound = charged.bounds[i] as Bound;
    const more = differenceOf(bound, charged.amounts, real);
    const count = countOf(book, bound, wallMs);
    if (more < 0) giveBack(count, charged.slots[i] as number, -more);
    else count.current += more;
  }
}

/** What a bound was charged too little (positive) or too much. */
export function differenceOf(bound: Bound, charged: Amounts, real: Amounts | null): number {
  return (real ? amountOf(real, bound.unit) : 0) - chargeOf(bound, charged);
}

export function countOf(book: Book, bound: Bound, wallMs: number): Count {
  const slot = slotOf(bound.window, wallMs);
  const { latest } = bound;
  if (latest?.book === book) {
    roll(latest.count, slot);
    return latest.count;
  }
  let count = book.get(bound.id);
  if (!count) {
    count = emptyCount(slot);
    book.set(bound.id, count);
  } else roll(count, slot);
  bound.latest = { book, count };
  return count;
}
