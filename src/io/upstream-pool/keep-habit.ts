/** How long unused connections to one upstream have lived, as far as it was tried. */
export interface KeepHabit {
  /** The longest that one was seen to live, in milliseconds. */
  readonly livedMs: number;
  /** The upstream has closed one that was tried: how long it keeps them is known. */
  readonly known: boolean;
}

export const noHabit: KeepHabit = { livedMs: 0, known: false };

/** The usual engines close after 5 s. */
const usualMs = 4000;
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

/** After a tried one was seen to live. */
export function haveLived(habit: KeepHabit, ms: number): KeepHabit {
  return ms > habit.livedMs ? { ...habit, livedMs: ms } : habit;
}

/** After the upstream has closed a tried one that was so old: others of that age are no longer believed to live. */
export function haveClosed({ livedMs }: KeepHabit, ms: number): KeepHabit {
  return { livedMs: Math.min(livedMs, ms), known: true };
}
