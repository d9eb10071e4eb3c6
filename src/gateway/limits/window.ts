/** Spans that amounts are counted in: a minute that slides, and calendar days and months of UTC. */
export type WindowKind = 'minute' | 'day' | 'month';

/** What was counted in the window's present slot and in the one before it. */
export interface Count {
  slot: number;
  current: number;
  previous: number;
  /** What was counted when the clock leapt over slots, or nobody came in them; null: that was never. A clock may leap back. */
  left: { readonly slot: number; amount: number } | null;
}

export function emptyCount(slot: number): Count {
  return { slot, current: 0, previous: 0, left: null };
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Number of the slot that a wall time (milliseconds since 1970) falls into; slots of a kind are numbered in a row. */
export function slotOf(window: WindowKind, wallMs: number): number {
  if (wallMs !== latest.wallMs) lookAt(wallMs);
  if (window === 'minute') return latest.minute;
  return window === 'day' ? latest.day : latest.month;
}

/** One request asks for some twenty bounds at the same moment. */
const latest = { wallMs: Number.NaN, minute: 0, day: Number.NaN, month: 0 };

function lookAt(wallMs: number): void {
  const day = Math.floor(wallMs / dayMs);
  latest.wallMs = wallMs;
  latest.minute = Math.floor(wallMs / minuteMs);
  if (day === latest.day) return;
  const date = new Date(day * dayMs);
  latest.day = day;
  latest.month = date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/**
 * The share of the previous slot that still counts. A minute slides: of the previous one, the part that the last 60
 * seconds cover, as if its amount had come evenly (the sliding window counter). A new day or month begins at nothing.
 */
export function carryOf(window: WindowKind, wallMs: number): number {
  return window === 'minute' ? 1 - (wallMs % minuteMs) / minuteMs : 0;
}

/**
 * Moves a count on to a later slot. One back to an earlier slot, where a clock that ran ahead was set right, takes along what was
 * counted in the later one, which would else be added to when that time has come again, and finds what it had counted before.
 */
export function roll(count: Count, slot: number): void {
  if (slot === count.slot) return;
  if (slot < count.slot) goBack(count, slot);
  else if (slot === count.slot + 1) {
    count.previous = count.current;
    count.current = 0;
  } else {
    // Of several leaps the latest that something was counted before: most are mere pauses.
    if (count.current > 0) count.left = { slot: count.slot, amount: count.current };
    count.previous = 0;
    count.current = 0;
  }
  count.slot = slot;
}

function goBack(count: Count, slot: number): void {
  const { left } = count;
  if (slot === count.slot - 1) count.current += count.previous;
  count.previous = 0;
  if (left === null) return;
  if (left.slot >= slot) count.current += left.amount;
  else if (left.slot === slot - 1) count.previous = left.amount;
  count.left = null;
}

/** Gives back what was charged too much, to the slot that it was charged to as long as that may still count. */
export function giveBack(count: Count, slot: number, amount: number): void {
  // A later slot than the present one: the clock was set back, and the count has taken it along.
  if (slot >= count.slot) count.current = Math.max(0, count.current - amount);
  else if (slot === count.slot - 1) count.previous = Math.max(0, count.previous - amount);
  else if (slot === count.left?.slot) count.left.amount = Math.max(0, count.left.amount - amount);
}

export function usedOf(count: Count, carry: number): number {
  return count.current + count.previous * carry;
}

/** Milliseconds until `need` fits below `limit` in the sliding minute, if nothing else comes; `need` is at most `limit`. */
export function waitForRoom(count: Count, room: { need: number; limit: number }, wallMs: number): number {
  const into = wallMs % minuteMs;
  const spare = room.limit - room.need;
  if (count.current <= spare) return Math.max(0, shrinkMs(count.previous, spare - count.current) - into);
  return minuteMs - into + shrinkMs(count.current, spare);
}

/** Milliseconds of a slot until what the slot before it holds weighs `bound` or less. */
function shrinkMs(amount: number, bound: number): number {
  return amount <= bound ? 0 : minuteMs * (1 - bound / amount);
}

/** Milliseconds until nothing of the sliding minute counts any more. */
export function resetMs(count: Count, wallMs: number): number {
  const rest = minuteMs - (wallMs % minuteMs);
  if (count.current > 0) return rest + minuteMs;
  return count.previous > 0 ? rest : 0;
}
