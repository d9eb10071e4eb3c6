import { parseDocument } from 'yaml';
import { setField } from '../relocate/set-field.ts';
import { benchmarksOf, experimentsOf, withRoute } from './references.ts';

/** A deployment as far as it can be the same as another one. */
export interface Served {
  readonly name: string;
  /** Its model, the same for the same file or repository; null: it is like no other. */
  readonly model: string | null;
  /** What it does with its model, by everything that changes an answer: one with another use is no duplicate. */
  readonly use: string;
  /** Most tokens of a request; null: not known. */
  readonly context: number | null;
  /** Where it runs: duplicates on two machines may be meant. */
  readonly machine: string;
  readonly gpus: number;
  readonly slots: number;
  /** Only reached: berth does not end it. */
  readonly external: boolean;
}

export interface Duplicate {
  readonly keep: string;
  readonly drop: readonly string[];
}

/**
 * Deployments that serve one model in one way on one machine. Kept is the one that is named, else one that berth runs, with the most
 * GPUs, then the most slots, then the first of the file. What has a larger context than that stays, too, unless it is named that
 * another one is kept: its long requests would fail. Pure.
 */
export function duplicatesOf(served: readonly Served[], keep: readonly string[] = []): Duplicate[] {
  return groupsOf(served, keep).flatMap(({ first, others }) => {
    const drop = others.filter((one) => !holdsMore(one, first, keep)).map((one) => one.name);
    return drop.length > 0 ? [{ keep: first.name, drop }] : [];
  });
}

/** What is said of duplicates whose contexts differ. Pure. */
export function contextNotes(served: readonly Served[], keep: readonly string[] = []): string[] {
  return groupsOf(served, keep).flatMap(({ first, others }) =>
    others.flatMap((one) => {
      if ((one.context ?? 0) <= (first.context ?? Infinity)) return [];
      const facts = `${one.name} takes requests of ${one.context} tokens and ${first.name} of ${first.context}`;
      return holdsMore(one, first, keep)
        ? `${one.name} is not merged: ${facts}; give ${first.name} that context, or say --keep with the one that is to stay`
        : `${facts}: longer ones will be refused`;
    }),
  );
}

function holdsMore(one: Served, first: Served, keep: readonly string[]): boolean {
  return !keep.includes(first.name) && (one.context ?? 0) > (first.context ?? Infinity);
}

function groupsOf(served: readonly Served[], keep: readonly string[]): { first: Served; others: Served[] }[] {
  const known = served.filter((one) => one.model !== null);
  const groups = Map.groupBy(known, (one) => JSON.stringify([one.machine, one.model, one.use]));
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted(
      (a, b) =>
        Number(keep.includes(b.name)) - Number(keep.includes(a.name)) ||
        Number(a.external) - Number(b.external) ||
        b.gpus - a.gpus ||
        b.slots - a.slots,
    );
    return first ? [{ first, others }] : [];
  });
}

/** The fleet file without these deployments: whoever asks for them by name or by a route reaches the one that is kept, and it is measured in their place. Pure. */
export function merged(text: string, { keep, drop }: Duplicate): string {
  return drop.reduce((edited, name) => {
    const without = setField(edited, ['deployments', name], undefined);
    return experimentsOf(benchmarksOf(rerouted(without, name, keep), name, keep), name, keep);
  }, text);
}

function rerouted(text: string, from: string, to: string): string {
  const routes = (parseDocument(text).toJS() as { gateway?: { routes?: Record<string, unknown> } }).gateway
    ?.routes;
  let edited = text;
  for (const [name, route] of Object.entries(routes ?? {}))
    for (const place of [[], ['to'], ['shadow', 'to']]) {
      const value = place.reduce<unknown>(
        (node, key) => (node as Record<string, unknown> | null)?.[key],
        route,
      );
      const now = replacedIn(value, from, to);
      if (now !== value) edited = setField(edited, ['gateway', 'routes', name, ...place], now);
    }
  return routes?.[from] === undefined ? withRoute(edited, from, to) : edited;
}

/** A route's target: a name, or names with weights, which add up where two become one. */
function replacedIn(value: unknown, from: string, to: string): unknown {
  if (value === from) return to;
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, 'to')) return value;
  const weights = value as Record<string, unknown>;
  if (typeof weights[from] !== 'number') return value;
  const { [from]: weight, ...others } = weights;
  return { ...others, [to]: Number(weight) + Number(others[to] ?? 0) };
}
