/** A share of a route's traffic. */
export interface Arm<Target> {
  readonly target: Target;
  readonly weight: number;
  /** Someone there could serve, now or after a wait. */
  readonly reachable: boolean;
}

/**
 * The target for one request, by weight; `random` is from 0 up to 1. Targets that cannot be reached are left out as
 * long as another can. Null only when there are no arms.
 */
export function pickArm<Target>(arms: readonly Arm<Target>[], random: number): Target | null {
  const live = arms.filter((arm) => arm.reachable);
  const pool = live.length > 0 ? live : arms;
  const total = pool.reduce((sum, arm) => sum + arm.weight, 0);
  let left = random * total;
  for (const arm of pool) {
    left -= arm.weight;
    if (left < 0) return arm.target;
  }
  return pool.at(-1)?.target ?? null;
}
