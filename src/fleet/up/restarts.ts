/** When a crashed engine is started again: at once, then ever later, until it has run well for a while. Pure. */
export interface Attempts {
  readonly count: number;
  readonly lastAt: number;
}

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;
/** After so long without a crash the waits begin anew. */
const forgetMs = 120_000;

export function waitBeforeRestart(attempts: Attempts | undefined): number {
  if (!attempts || attempts.count === 0) return 0;
  return Math.min(longestWaitMs, firstWaitMs * 2 ** (attempts.count - 1));
}

export function mayRestart(attempts: Attempts | undefined, now: number): boolean {
  return !attempts || now - attempts.lastAt >= waitBeforeRestart(attempts);
}

export function afterRestart(attempts: Attempts | undefined, now: number): Attempts {
  const fresh = !attempts || now - attempts.lastAt > forgetMs;
  return { count: fresh ? 1 : attempts.count + 1, lastAt: now };
}
