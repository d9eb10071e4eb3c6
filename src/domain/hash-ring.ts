import { hashPair, hashText } from './hashing.ts';
import { withinBound } from './instance-load.ts';
import type { Loaded } from './instance-load.ts';

/** Where a beginning belongs. `at`: how many were passed over before it, since they had too much to do. */
export interface Place<One> {
  readonly one: One;
  readonly at: number;
}

/**
 * Rendezvous hashing with bounded loads: who sees the same instances comes to the same choice, with nothing remembered
 * and nobody asked. `start`: hash of the beginning. Null: all of `open` have too much to do.
 */
export function placeByHash<One extends Loaded & { readonly id: string }>(
  start: number,
  { open, alive, loadFactor }: { open: readonly One[]; alive: readonly One[]; loadFactor: number },
): Place<One> | null {
  const unit = hashPair(start >>> 0, Math.floor(start / 0x1_0000_0000));
  const ranked = open.toSorted((a, b) => hashPair(unit, hashText(b.id)) - hashPair(unit, hashText(a.id)));
  const at = ranked.findIndex((one) => withinBound(one, alive, loadFactor));
  const one = ranked[at];
  return one === undefined ? null : { one, at };
}
