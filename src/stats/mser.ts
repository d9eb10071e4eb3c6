const batchSize = 5;

/**
 * How many values at the beginning belong to the start-up of what was watched: MSER-5 (White, "An effective truncation
 * heuristic for bias reduction in simulation output", 1997). Of the means of five values each, the cut is where the
 * variance of the rest over its number is least. Only the first half is looked through, for a few values at the end are
 * alike by chance; null when the best cut is the half itself: it would go on, so no steady part was seen.
 */
export function startUpLength(values: readonly number[]): number | null {
  const batches: number[] = [];
  for (let at = 0; at + batchSize <= values.length; at += batchSize)
    batches.push(values.slice(at, at + batchSize).reduce((sum, value) => sum + value, 0) / batchSize);
  if (batches.length < 10) return null;
  let best = { cut: 0, error: Number.POSITIVE_INFINITY };
  let sum = 0;
  let squares = 0;
  const half = Math.floor(batches.length / 2);
  // From the end on, so that each sum is the one before and one value more.
  for (let cut = batches.length - 1; cut >= 0; cut -= 1) {
    const value = batches[cut] as number;
    sum += value;
    squares += value * value;
    const n = batches.length - cut;
    const error = Math.max(0, squares - (sum * sum) / n) / (n * n);
    if (cut <= half && error <= best.error) best = { cut, error };
  }
  return best.cut === half ? null : best.cut * batchSize;
}
