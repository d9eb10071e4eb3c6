/** Named in every report, since tools differ. */
export const percentileMethod =
  'linear interpolation between the two closest ranks (position (n-1)q, as numpy)';

/** The q-th quantile (0 to 1) of values sorted ascending. NaN when there are none. */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const low = Math.floor(position);
  const below = sorted[low] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - low);
}

export function sortedCopy(values: ArrayLike<number>): Float64Array {
  return new Float64Array(values).sort();
}
