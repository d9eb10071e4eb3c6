import type { MemoryNeed, MemoryRoom } from '../../domain/on-demand.ts';

/** One model that takes memory now. */
export interface Resident {
  readonly name: string;
  readonly need: MemoryNeed | null;
  /** On its way out: its memory is not free yet, but will be. */
  readonly leaving: boolean;
  /** Nothing is under way at it, so that it may end at once. */
  readonly idle: boolean;
  /** It has had its turn: it may be made to end once its requests have. */
  readonly closable: boolean;
  /** Milliseconds since its last request ended. */
  readonly idleMs: number;
  /** What it costs to have it back. */
  readonly loadMs: number;
}

export interface EvictionInput {
  readonly wanted: { readonly name: string; readonly need: MemoryNeed | null };
  readonly residents: readonly Resident[];
  readonly room: MemoryRoom;
  /** Which may run together; null: all that fit. */
  readonly sets: readonly (readonly string[])[] | null;
}

/**
 * - `load`: there is room.
 * - `evict`: there is, once these idle ones have ended.
 * - `wait`: those that have to end are busy or ending; `close` may take nothing new.
 * - `never`: it does not fit, not even alone.
 */
export type Eviction =
  | { readonly do: 'load' }
  | { readonly do: 'evict'; readonly names: readonly string[] }
  | { readonly do: 'wait'; readonly close: readonly string[] }
  | { readonly do: 'never' };

interface Member {
  readonly name: string;
  readonly need: MemoryNeed | null;
}

/**
 * What must end so that a model can be loaded: the fewest that are enough, those first that were used longest ago for what they cost
 * to load. Never one with requests under way. Pure.
 */
export function chooseEvictions(input: EvictionInput): Eviction {
  const { wanted, residents } = input;
  const others = residents.filter((one) => one.name !== wanted.name);
  const staying = others.filter((one) => !one.leaving);
  if (!fits([wanted], input)) return { do: 'never' };
  if (fits([wanted, ...others], input)) return { do: 'load' };
  if (fits([wanted, ...staying], input)) return { do: 'wait', close: [] };
  const idle = inOrder(staying.filter((one) => one.idle));
  const names = enough(idle, staying, input);
  if (names) return { do: 'evict', names };
  const busy = inOrder(staying.filter((one) => !one.idle && one.closable));
  const close = enough([...idle, ...busy], staying, input);
  // The idle ones stay loaded until the busy ones are done: they may be asked for meanwhile.
  return { do: 'wait', close: busy.map((one) => one.name).filter((name) => close?.includes(name)) };
}

/** All of these at once: within the memory, and within one of the sets. One whose need is not known runs alone. */
export function fits(
  members: readonly Member[],
  { room, sets }: Pick<EvictionInput, 'room' | 'sets'>,
): boolean {
  if (members.length > 1 && members.some((one) => one.need === null)) return false;
  for (const pool of ['host', 'gpu'] as const) {
    const total = members.reduce((sum, one) => sum + (one.need?.[pool] ?? 0), 0);
    if (total > (room[pool] ?? Infinity)) return false;
  }
  if (sets === null || members.length === 1) return true;
  return sets.some((set) => members.every((one) => set.includes(one.name)));
}

/** Cheapest to lose first. */
function inOrder(residents: readonly Resident[]): Resident[] {
  return residents.toSorted((a, b) => price(a) - price(b) || a.name.localeCompare(b.name));
}

/** What it costs to load again, the less likely to be needed the longer it was not. */
function price({ loadMs, idleMs }: Resident): number {
  return (loadMs + 1) / (idleMs + 1_000);
}

/** Names to take away, from the front of `candidates`, none of them needlessly; null when all of them are not enough. */
function enough(
  candidates: readonly Resident[],
  staying: readonly Resident[],
  input: EvictionInput,
): readonly string[] | null {
  const gone = new Set<string>();
  function fitsWithout(names: ReadonlySet<string>): boolean {
    return fits([input.wanted, ...staying.filter((one) => !names.has(one.name))], input);
  }
  for (const { name } of candidates) {
    if (fitsWithout(gone)) break;
    gone.add(name);
  }
  if (!fitsWithout(gone)) return null;
  for (const name of [...gone].toReversed()) {
    gone.delete(name);
    if (!fitsWithout(gone)) gone.add(name);
  }
  return [...gone];
}
