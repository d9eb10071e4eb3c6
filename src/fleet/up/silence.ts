/** How long an engine has not answered, and whether that means that it hangs. Pure. */
export interface Silence {
  readonly misses: number;
  /** Since when nothing of it has been seen. */
  readonly since: number;
}

/** What one look at an engine tells. */
export interface Sight {
  /** Its readiness path gave a good answer. */
  readonly answers: boolean;
  /** A stream through it, or its own counters of tokens, went on since the look before. */
  readonly moves: boolean;
  /** Requests are under way there: it may be reading a long prompt. */
  readonly busy: boolean;
}

export interface Patience {
  /** With nothing to do. */
  readonly idleMs: number;
  /** With requests under way that nothing is heard of. */
  readonly busyMs: number;
}

/** One miss, or two, can be the machine's. */
const fewestMisses = 3;

/** Null once it answers. */
export function afterSight(before: Silence | null, sight: Sight, now: number): Silence | null {
  if (sight.answers) return null;
  if (before === null || sight.moves) return { misses: 1, since: now };
  return { misses: before.misses + 1, since: before.since };
}

export function hangs(
  silence: Silence | null,
  { busy }: Pick<Sight, 'busy'>,
  patience: Patience,
  now: number,
): boolean {
  if (silence === null || silence.misses < fewestMisses) return false;
  return now - silence.since >= (busy ? Math.max(patience.idleMs, patience.busyMs) : patience.idleMs);
}
