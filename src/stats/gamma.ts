import type { Random } from './random.ts';

/**
 * A number from the gamma distribution with this shape and scale 1 (mean: the shape), by Marsaglia and Tsang, "A simple
 * method for generating gamma variables" (2000). Shape 1 is the exponential distribution and is drawn as such.
 */
export function gammaVariate(shape: number, random: Random): number {
  if (shape === 1) return -Math.log(1 - random.next());
  // Below 1 their method is off: one shape higher, corrected by a power of a uniform number.
  if (shape < 1) return gammaVariate(shape + 1, random) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normalVariate(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Standard normal, by Box and Muller. */
export function normalVariate(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
