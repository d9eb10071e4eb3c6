/**
 * What the gateway knows of one instance's health, from requests that passed (first) and from asking its healthPath.
 * Failures eject it for a while; then one request may try it again, after its healthPath has answered if it has one.
 * An engine that is loading (503) has not failed, and a client's abort says nothing.
 */
export interface Health {
  /** Failures since the last good answer. */
  readonly failures: number;
  /** The last 32 outcomes, one bit each, the latest lowest; 1: a failure. */
  readonly recent: number;
  /** Ejected until then, by the monotonic clock; null while healthy. */
  readonly ejectedUntil: number | null;
  /** Time alone does not end the ejection: its healthPath must answer first. */
  readonly checkFirst: boolean;
  /** The one request that may try it again is under way. */
  readonly probing: boolean;
  /** The latest connection failed, or replies break one after the other; ejected or not. */
  readonly away: boolean;
  /** When it may be tried again all the same; Infinity: its healthPath will tell. */
  readonly awayUntil: number;
  /** Its healthPath says that it cannot serve yet. */
  readonly loading: boolean;
}

export type HealthState = 'healthy' | 'loading' | 'ejected' | 'probe-due' | 'probing';

export const healthy: Health = {
  failures: 0,
  recent: 0,
  ejectedUntil: null,
  checkFirst: false,
  probing: false,
  away: false,
  awayUntil: 0,
  loading: false,
};

const firstEjectionMs = 1000;
const longestEjectionMs = 30_000;

/**
 * How many failures in a row eject. A connection that fails is the instance's doing; a reply that breaks, and still more
 * one with status 5xx, may be the request's.
 */
const tolerated = { connect: 1, broke: 3, erred: 5 } as const;
/** So many of the last 32 eject too, with good answers in between: what serves every second request serves none well. */
const toleratedOfRecent = 16;
export type FailureSort = keyof typeof tolerated;

/** By how an attempt went. */
export const failureSorts = {
  erred: 'erred',
  'connect-failed': 'connect',
  broke: 'broke',
} as const satisfies Record<string, FailureSort>;

export function healthState(health: Health, now: number): HealthState {
  if (health.ejectedUntil === null) return health.loading ? 'loading' : 'healthy';
  if (health.probing) return 'probing';
  return now < health.ejectedUntil || health.checkFirst ? 'ejected' : 'probe-due';
}

/** The last one there is takes requests for want of another; that it is away shows all the same. */
export function shownHealth(health: Health, now: number): HealthState {
  const state = healthState(health, now);
  if (!health.away || health.ejectedUntil !== null) return state;
  return now < health.awayUntil ? 'ejected' : 'probe-due';
}

/** Its ejection has lasted long enough for its healthPath to be asked. */
export function checkDue(health: Health, now: number): boolean {
  return health.ejectedUntil !== null && health.checkFirst && now >= health.ejectedUntil;
}

export function afterAnswer(health: Health): Health {
  if (health.failures === 0 && health.recent === 0) return health;
  // Ejected for failing often, not always: what was under way there and went well proves nothing, the probe does.
  if (health.ejectedUntil !== null && !health.probing && failsOften(health.recent)) return health;
  const recent = health.ejectedUntil === null ? (health.recent << 1) >>> 0 : 0;
  return health.loading || recent !== 0 ? { ...healthy, loading: health.loading, recent } : healthy;
}

/** The probe ended without telling anything (the client left): another may follow at once. */
export function afterNothing(health: Health): Health {
  return health.probing ? { ...health, probing: false } : health;
}

/** Its healthPath has answered. "loading": it lives, and will serve later. */
export function afterCheck(health: Health, answer: 'well' | 'loading', now: number): Health {
  if (answer === 'loading') return { ...healthy, loading: true };
  if (health.ejectedUntil === null)
    return health.loading || health.away ? { ...health, loading: false, away: false } : health;
  // Half open: what answers a check may still fail a request, so one goes first.
  return { ...health, ejectedUntil: Math.min(health.ejectedUntil, now), checkFirst: false, away: false };
}

/** `mayEject` is false when as many instances as allowed are ejected already; `hasCheck`: it has a healthPath. */
export function afterFailure(
  health: Health,
  failure: { now: number; sort: FailureSort; mayEject: boolean; hasCheck: boolean },
): Health {
  const failures = health.failures + 1;
  const recent = ((health.recent << 1) | 1) >>> 0;
  const wasEjected = health.ejectedUntil !== null;
  const away = wasEjected || failures >= tolerated[failure.sort] || failsOften(recent);
  const doublings = Math.min(failures - 1, 5);
  const ejectionMs = Math.min(firstEjectionMs * 2 ** doublings, longestEjectionMs);
  const awayUntil = failure.hasCheck ? Infinity : failure.now + ejectionMs;
  // Where none may be ejected, a run of replies with 5xx does not make the only engine look gone.
  if (!away || !(failure.mayEject || wasEjected))
    return { ...healthy, failures, recent, away: away && failure.sort !== 'erred', awayUntil };
  return {
    failures,
    recent,
    ejectedUntil: failure.now + ejectionMs,
    checkFirst: failure.hasCheck,
    probing: false,
    away,
    awayUntil,
    loading: false,
  };
}

function failsOften(recent: number): boolean {
  let count = 0;
  for (let bits = recent; bits !== 0; bits = (bits & (bits - 1)) >>> 0) count += 1;
  return count >= toleratedOfRecent;
}
