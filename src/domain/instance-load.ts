/** What is known of an instance's load. */
export interface Loaded {
  /** Requests under way. */
  readonly inflight: number;
  /** How many it serves at once; null: not known. */
  readonly slots: number | null;
}

/** Where slots are unknown, load is counted as if there were this many: a plain comparison of requests under way. */
const unknownSlots = 64;

/** Requests under way as a share of the slots. */
export function loadOf(one: Loaded): number {
  return one.inflight / (one.slots ?? unknownSlots);
}

/** The one with the least load; among equals the first from index `start` on. `among` must not be empty. */
export function leastLoaded<One extends Loaded>(among: readonly One[], start: number): One {
  const first = start % among.length;
  let best = among[first] as One;
  let bestLoad = loadOf(best);
  for (let step = 1; step < among.length; step += 1) {
    const one = among[(first + step) % among.length] as One;
    const load = loadOf(one);
    if (load >= bestLoad) continue;
    best = one;
    bestLoad = load;
  }
  return best;
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016), by share of slots: one more request
 * must leave `one` at no more than `factor` times its share of what would then be under way, rounded up. `alive`: all
 * that could serve, `one` among them.
 */
export function withinBound(one: Loaded, alive: readonly Loaded[], factor: number): boolean {
  let inflight = 1;
  let slots = 0;
  for (const other of alive) {
    inflight += other.inflight;
    slots += other.slots ?? unknownSlots;
  }
  const share = (one.slots ?? unknownSlots) / slots;
  return one.inflight + 1 <= Math.ceil(factor * inflight * share);
}

/** A start for `leastLoaded` that makes equals equally likely; `random` gives numbers from 0 up to 1. */
export function anywhere(random: () => number): number {
  return Math.floor(random() * 0x4000_0000);
}
