/** What decides whether a request goes at once, waits, or is refused. */
export interface Load {
  /** Some instance has a free slot. */
  readonly room: boolean;
  /** Some instance could serve once a slot is free. */
  readonly reachable: boolean;
  readonly waiting: number;
  readonly queueLimit: number;
  /** The bodies of those who wait, this one with them, are within their bound. */
  readonly bodiesFit: boolean;
  /** It would certainly wait longer than it may. */
  readonly late: () => boolean;
}

export type Admission = 'go' | 'wait' | 'queue-full' | 'too-late' | 'unreachable';

/** Those who wait go first: a newcomer goes at once only when nobody waits. */
export function admission(load: Load): Admission {
  if (!load.reachable) return 'unreachable';
  if (load.room && load.waiting === 0) return 'go';
  if (load.waiting >= load.queueLimit || !load.bodiesFit) return 'queue-full';
  return load.late() ? 'too-late' : 'wait';
}

/** How fast those who wait are served. */
export interface Service {
  readonly waiting: number;
  /** Requests served at once, over all instances; Infinity where one is not bounded. */
  readonly slots: number;
  readonly meanServiceMs: number;
  /** Requests that the mean was measured on. */
  readonly served: number;
  /** Bound on requests per second over all instances, and how many may pass at once; null: none. */
  readonly pace: { readonly perSecond: number; readonly level: number } | null;
}

/** Milliseconds until a newcomer would be served, on average. */
export function expectedMs({ waiting, slots, meanServiceMs, pace }: Service): number {
  return Math.max(((waiting + 1) / Math.max(slots, 1)) * meanServiceMs, paceMs(waiting, pace));
}

function paceMs(waiting: number, pace: Service['pace']): number {
  return pace === null ? 0 : Math.max(0, ((waiting + 1 - pace.level) / pace.perSecond) * 1000);
}

const enoughServed = 10;

/**
 * A newcomer would wait longer than `deadlineMs`, nearly for certain. A bound on requests per second says so exactly. By
 * measured service it takes n = waiting + 1 ends of requests, whose sum varies around its mean by a share of 1/√n (as for
 * a Poisson process): two such shares below the mean, one in forty would still be served in time.
 */
export function surelyLate(service: Service, deadlineMs: number): boolean {
  if (paceMs(service.waiting, service.pace) > deadlineMs) return true;
  if (service.served < enoughServed) return false;
  const ends = service.waiting + 1;
  const mean = (ends / Math.max(service.slots, 1)) * service.meanServiceMs;
  return mean * (1 - 2 / Math.sqrt(ends)) > deadlineMs;
}

/**
 * Whole seconds until a newcomer would probably be served; spread by `random` (0..1), lest all who were refused come back
 * at once. Between 1 and 60, or what a bound on requests per second needs.
 */
export function retryAfter(service: Service, random: number): number {
  const spread = expectedMs(service) * (1 + random * 0.5);
  const most = Math.max(60, Math.ceil(paceMs(service.waiting, service.pace) / 1000));
  return Math.min(most, Math.max(1, Math.ceil(spread / 1000)));
}
