/** How fast something comes: the part, from 0 to 1, that was there when it was first heard of, and the one of now. */
export interface Pace {
  readonly first: number;
  readonly firstAt: number;
  readonly part: number;
}

/** Begun anew where less is there than before: what came was thrown away. Pure. */
export function paceAfter(before: Pace | null, part: number, now: number): Pace {
  if (before === null || part < before.part) return { first: part, firstAt: now, part };
  return { ...before, part };
}

/**
 * Milliseconds until the rest is here, at the pace of all that came so far: it grows while nothing comes. Null until something has
 * come since it was first heard of. Pure.
 */
export function leftMs(pace: Pace | null, now: number): number | null {
  if (pace === null || pace.part <= pace.first) return null;
  return ((1 - pace.part) * (now - pace.firstAt)) / (pace.part - pace.first);
}
