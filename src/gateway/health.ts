/**
 * What the gateway has seen of one instance in passing. A broken connection ejects it for a while; then one request may
 * probe it. An engine that answers, whatever the status, is alive: loading (503) is no failure, nor is a client's abort.
 */
export interface Health {
  /** Failures since the last answer. */
  readonly failures: number;
  /** Ejected until then, by the monotonic clock; null while healthy. */
  readonly ejectedUntil: number | null;
  /** The one request that may try it again is under way. */
  readonly probing: boolean;
  /** The latest connection failed, or replies break one after the other; ejected or not. */
  readonly away: boolean;
}

export type HealthState = 'healthy' | 'ejected' | 'probe-due' | 'probing';

export const healthy: Health = { failures: 0, ejectedUntil: null, probing: false, away: false };

const firstEjectionMs = 1000;
const longestEjectionMs = 30_000;
/** A reply that breaks may be this one request's doing; a connection that fails is not. */
const brokenReplies = 3;

export function healthState(health: Health, now: number): HealthState {
  if (health.ejectedUntil === null) return 'healthy';
  if (health.probing) return 'probing';
  return now < health.ejectedUntil ? 'ejected' : 'probe-due';
}

export function afterAnswer(health: Health): Health {
  return health === healthy || health.failures === 0 ? health : healthy;
}

/** The probe ended without telling anything (the client left): another may follow at once. */
export function afterNothing(health: Health): Health {
  return health.probing ? { ...health, probing: false } : health;
}

/** `mayEject` is false when as many instances as allowed are ejected already. */
export function afterFailure(
  health: Health,
  failure: { now: number; connect: boolean; mayEject: boolean },
): Health {
  const failures = health.failures + 1;
  const wasEjected = health.ejectedUntil !== null;
  const away = failure.connect || wasEjected || failures >= brokenReplies;
  if (!away || !(failure.mayEject || wasEjected))
    return { failures, ejectedUntil: null, probing: false, away };
  const doublings = Math.min(failures - 1, 5);
  const ejectionMs = Math.min(firstEjectionMs * 2 ** doublings, longestEjectionMs);
  return { failures, ejectedUntil: failure.now + ejectionMs, probing: false, away };
}
