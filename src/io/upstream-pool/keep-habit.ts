/** How unused connections to one upstream have fared, as far as it was tried. */
export interface KeepHabit {
  /** The longest that one was seen to live, in milliseconds. */
  readonly livedMs: number;
  /** The upstream has closed one that was tried: how long it keeps them is known. */
  readonly known: boolean;
  /** The most connections that were open at once and had all been answered: it serves so many, or more. */
  readonly atOnce: number;
}

export const noHabit: KeepHabit = { livedMs: 0, known: false, atOnce: 0 };

/** The usual engines close after 5 s. */
export const usualMs = 4000;
/** Behind a connection that was quiet for longer there may be a firewall that has forgotten it. */
const longestMs = 60_000;
/** A connection that has lived so long proves as much as can be used. */
const triedMs = 75_000;

/**
 * How long an unused connection may be used again, in milliseconds: as long as suits any engine, and, where some have
 * lived for longer without being used, four fifths of that.
 */
export function keepLimit({ livedMs }: KeepHabit): number {
  return Math.min(longestMs, Math.max(usualMs, livedMs * 0.8));
}

/** Whether it is worth to let a connection live past the limit, unused, to see whether the upstream closes it. */
export function worthTrying({ known, livedMs }: KeepHabit): boolean {
  return !known && livedMs < triedMs;
}

/**
 * How many may be left unused for longer than the usual time. A server that gives each connection a thread of its own has
 * that thread wait for what an unused one sends next: another client finds one that is free.
 */
export function spareOnes({ atOnce }: KeepHabit): number {
  return Math.max(0, atOnce - 1);
}

/** After so many were seen open at once, all of them answered. */
export function haveServed(habit: KeepHabit, count: number): KeepHabit {
  return count > habit.atOnce ? { ...habit, atOnce: count } : habit;
}

/** After a tried one was seen to live. */
export function haveLived(habit: KeepHabit, ms: number): KeepHabit {
  return ms > habit.livedMs ? { ...habit, livedMs: ms } : habit;
}

/** After the upstream has closed a tried one that was so old: others of that age are no longer believed to live. */
export function haveClosed(habit: KeepHabit, ms: number): KeepHabit {
  return { ...habit, livedMs: Math.min(habit.livedMs, ms), known: true };
}
