import { extent } from './extent.ts';

/** Places of items by a whole number that each has, the least first; equal ones stay in their order. */
export function orderOf<Item>(items: readonly Item[], keyOf: (item: Item) => number): Uint32Array {
  const n = items.length;
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i += 1) keys[i] = keyOf(items[i] as Item);
  const { min: least, max } = extent(keys);
  const span = max - least;
  if ((span + 1) * n > Number.MAX_SAFE_INTEGER)
    return Uint32Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  // Key and place in one number: the engine sorts plain numbers many times faster than by a function.
  for (let i = 0; i < n; i += 1) keys[i] = ((keys[i] as number) - least) * n + i;
  keys.sort();
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i += 1) order[i] = (keys[i] as number) % n;
  return order;
}
