import type { EngineReading } from './engine-reading.ts';

/**
 * The limit on requests under way at one instance, trimmed while its engine has requests waiting: additive increase,
 * multiplicative decrease (Chiu and Jain 1989), on the engine's own waiting gauge and not on latency, which grows with
 * the length of answers and with batches by design.
 */
export interface AdaptiveState {
  readonly limit: number;
  /** Monotonic milliseconds; -Infinity: never. */
  readonly lastCutAt: number;
  /** Of the latest readings, oldest first: requests waited for capacity. */
  readonly waited: readonly boolean[];
  /** Of the latest readings: requests that run there and are of none of our gateways. */
  readonly foreign: readonly number[];
  readonly preemptions: number | null;
}

const unknownStart = 8;
const unknownCap = 256;
const window = 3;
const waitedToCut = 2;
const cutShare = 0.9;
const restMs = 5000;
const raise = 0.5;

/** `slots`: what the engine batches at once; null where it does not say. */
export function startAdaptive(slots: number | null): AdaptiveState {
  return { limit: slots ?? unknownStart, lastCutAt: -Infinity, waited: [], foreign: [], preemptions: null };
}

export interface Observation {
  /** Null: the engine's figures could not be read, or are too old. Then the limit stays as it is. */
  readonly reading: EngineReading | null;
  readonly slots: number | null;
  readonly inflight: number;
  /** Requests of the other gateways of the fleet that are under way there, about. */
  readonly others: number;
  /** What this gateway may have under way there; null: all that the engine takes. */
  readonly own: number | null;
  /** The engine refused or broke requests of ours since the last observation (429, 503, time-out). */
  readonly refused: boolean;
  readonly now: number;
}

/** The state after one more look at the engine. */
export function adapt(state: AdaptiveState, observation: Observation): AdaptiveState {
  const { reading, slots, inflight, others, own, refused, now } = observation;
  const cap = slots ?? unknownCap;
  const seen = note({ ...state, limit: Math.min(state.limit, cap) }, reading, inflight + others);
  const preempted = rose(state.preemptions, reading?.preemptions ?? null);
  const crowded = reading !== null && seen.waited.filter(Boolean).length >= waitedToCut;
  if (crowded || preempted || refused) {
    if (now - state.lastCutAt < restMs) return seen;
    const running = reading?.running ?? inflight;
    const limit = Math.max(1, cutShare * Math.min(seen.limit, Math.max(1, running)));
    return { ...seen, limit, lastCutAt: now };
  }
  // What is given to strangers and to other gateways is in use there: more is of use once what is left for us is used up.
  // They may use up all of it; a gateway with nothing under way itself has no use for more.
  const most = Math.max(1, Math.min(seen.limit - strangersIn(seen), own ?? Infinity));
  if (reading === null || inflight < cutShare * most) return seen;
  return { ...seen, limit: Math.min(cap, seen.limit + raise) };
}

/**
 * Nothing has been read for long: what was known of waiting and of strangers is nothing by now, and the engine neither well nor full.
 * What it batches counts, as before it told anything; refusals cut that as well.
 */
export function forget(state: AdaptiveState, slots: number | null): AdaptiveState {
  return { ...state, limit: Math.max(state.limit, startAdaptive(slots).limit), waited: [], foreign: [] };
}

function note(state: AdaptiveState, reading: EngineReading | null, ours: number): AdaptiveState {
  if (reading === null) return state;
  // A gauge that has gone says nothing any more.
  const waited = reading.waiting === null ? [] : last(state.waited, reading.waiting > 0);
  const foreign = reading.running === null ? [] : last(state.foreign, Math.max(0, reading.running - ours));
  return { ...state, waited, foreign, preemptions: reading.preemptions ?? state.preemptions };
}

function last<One>(list: readonly One[], one: One): One[] {
  return [...list, one].slice(-window);
}

function rose(before: number | null, after: number | null): boolean {
  return before !== null && after !== null && after > before;
}

/**
 * Requests that may be under way there now. What runs there by others' doing is taken off; a request of ours that ends
 * between two readings looks like one for a moment, so it counts only when all the latest readings show it.
 */
export function effectiveSlots(state: AdaptiveState, slots: number | null): number {
  const most = Math.min(slots ?? unknownCap, state.limit);
  return Math.max(1, Math.floor(most - strangersIn(state)));
}

function strangersIn({ foreign }: AdaptiveState): number {
  return foreign.length < window ? 0 : Math.min(...foreign);
}
