/** How far gaps of mean 1 are from exponential ones: the distance of Kolmogorov and Smirnov. */
export function exponentialDistance(gaps: readonly number[]): number {
  const sorted = Float64Array.from(gaps).sort();
  return sorted.reduce((most, gap, i) => {
    const expected = 1 - Math.exp(-gap);
    return Math.max(most, expected - i / gaps.length, (i + 1) / gaps.length - expected);
  }, 0);
}

/** How much counts in windows vary, over their mean: 1 where arrivals know nothing of each other. `due` in order. */
export function fano(due: readonly number[], window: number): number {
  const counts = Array.from({ length: Math.floor((due.at(-1) ?? 0) / window) }, () => 0);
  for (const at of due) {
    const place = Math.floor(at / window);
    if (place < counts.length) counts[place] = (counts[place] ?? 0) + 1;
  }
  const mean = counts.reduce((sum, each) => sum + each, 0) / counts.length;
  return counts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (counts.length - 1) / mean;
}
