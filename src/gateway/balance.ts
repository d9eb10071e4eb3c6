import type { HealthState } from './health.ts';

/** One instance as the choice sees it. */
export interface Candidate {
  readonly inflight: number;
  /** Null: no limit is known. */
  readonly slots: number | null;
  readonly health: HealthState;
  /** Has failed this very request already. */
  readonly tried: boolean;
}

/**
 * The instance to send to: least loaded by share of its slots, ties by turn; null when none has room.
 * One whose probe is due comes first, since only a request can tell that it is back.
 */
export function balance(candidates: readonly Candidate[], turn: number): number | null {
  let best: number | null = null;
  let bestLoad = Infinity;
  for (let step = 0; step < candidates.length; step += 1) {
    const index = (turn + step) % candidates.length;
    const candidate = candidates[index] as Candidate;
    if (!hasRoom(candidate)) continue;
    if (candidate.health === 'probe-due') return index;
    const load = candidate.inflight / (candidate.slots ?? unlimitedSlots);
    if (load < bestLoad) {
      best = index;
      bestLoad = load;
    }
  }
  return best;
}

/** Where slots are unknown, load is counted as if there were this many: a plain comparison of requests under way. */
const unlimitedSlots = 64;

function hasRoom(candidate: Candidate): boolean {
  if (candidate.tried || candidate.health === 'ejected' || candidate.health === 'probing') return false;
  return candidate.slots === null || candidate.inflight < candidate.slots;
}
