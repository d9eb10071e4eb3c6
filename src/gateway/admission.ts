/** What decides whether a request goes at once, waits, or is refused. */
export interface Load {
  /** Some instance has a free slot. */
  readonly room: boolean;
  /** Some instance could serve once a slot is free. */
  readonly reachable: boolean;
  readonly waiting: number;
  readonly queueLimit: number;
}

export type Admission = 'go' | 'wait' | 'queue-full' | 'unreachable';

/** Those who wait go first: a newcomer goes at once only when nobody waits. */
export function admission(load: Load): Admission {
  if (!load.reachable) return 'unreachable';
  if (load.room && load.waiting === 0) return 'go';
  return load.waiting < load.queueLimit ? 'wait' : 'queue-full';
}

/**
 * Whole seconds until a newcomer would probably be served: the requests before it, each a mean service time, over all
 * slots; spread by `random` (0..1), lest all who were refused come back at once. Between 1 and 60.
 */
export function retryAfter(
  load: { waiting: number; slots: number; meanServiceMs: number },
  random: number,
): number {
  const expectedMs = ((load.waiting + 1) / Math.max(load.slots, 1)) * load.meanServiceMs;
  const spread = expectedMs * (1 + random * 0.5);
  return Math.min(60, Math.max(1, Math.ceil(spread / 1000)));
}
