/** Measurements of two things in turn: `first[i]` and `second[i]` were taken one right after the other. */
export interface Pairs {
  readonly first: readonly number[];
  readonly second: readonly number[];
  /** first / second of each pair; what the machine did to both at once cancels out. */
  readonly ratios: readonly number[];
}

/**
 * Measures two things `count` times in interleaved pairs. The order within a pair alternates, so that neither always
 * pays for what the other left behind. Both are measured once before, uncounted, to warm the caches.
 */
export async function interleavedPairs(
  count: number,
  sides: { readonly first: () => Promise<number> | number; readonly second: () => Promise<number> | number },
  options: { readonly warmUp?: boolean; readonly onPair?: (done: number, count: number) => void } = {},
): Promise<Pairs> {
  if (options.warmUp ?? true) {
    await sides.first();
    await sides.second();
  }
  const first: number[] = [];
  const second: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const swap = i % 2 === 1;
    const before = await (swap ? sides.second() : sides.first());
    const after = await (swap ? sides.first() : sides.second());
    first.push(swap ? after : before);
    second.push(swap ? before : after);
    options.onPair?.(i + 1, count);
  }
  return { first, second, ratios: first.map((value, i) => value / (second[i] ?? Number.NaN)) };
}

/** The middle value; the mean of the two middle ones when their number is even; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
