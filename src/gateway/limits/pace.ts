/** A smooth bound on requests per second: a bucket that fills evenly and holds a fifth of a second's worth, at least one. */
export interface Pace {
  readonly perSecond: number;
  level: number;
  /** Monotonic milliseconds at which `level` was so. */
  at: number;
}

const burstSeconds = 0.2;

export function createPace(perSecond: number, now: number): Pace {
  return { perSecond, level: burstOf(perSecond), at: now };
}

/** The same at another rate: what is in store stays, as far as it may hold as much. */
export function rescale(pace: Pace, perSecond: number, now: number): Pace {
  return { perSecond, level: Math.min(levelAt(pace, now), burstOf(perSecond)), at: now };
}

function burstOf(perSecond: number): number {
  return Math.max(1, perSecond * burstSeconds);
}

export function levelAt(pace: Pace, now: number): number {
  const filled = pace.level + (Math.max(0, now - pace.at) / 1000) * pace.perSecond;
  return Math.min(burstOf(pace.perSecond), filled);
}

/** Rounding must not keep a request waiting for ever. */
const almostOne = 1 - 1e-9;

export function mayPass(pace: Pace, now: number): boolean {
  return levelAt(pace, now) >= almostOne;
}

export function pass(pace: Pace, now: number): void {
  pace.level = levelAt(pace, now) - 1;
  pace.at = now;
}
