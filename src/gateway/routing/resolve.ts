import { hashPair, hashText, rendezvousScore } from '../../domain/hashing.ts';
import { unitOf } from '../front/ask.ts';
import type { Asker } from '../front/ask.ts';
import { isWorthTrying } from '../models.ts';
import type { RouteArm, RouteState } from './routes.ts';

/** A share of a route's traffic. */
export interface Arm<Target> {
  readonly target: Target;
  readonly weight: number;
  /** Someone there could serve, now or after a wait. */
  readonly reachable: boolean;
}

/**
 * The arm for one request among those of a route; null only when there is none. With a split a client stays in its arm
 * for as long as that can be reached.
 */
export function armOf(
  among: readonly RouteArm[],
  split: RouteState['split'],
  asker: Asker,
  at: { now: number; random: () => number },
): RouteArm | null {
  if (among.length <= 1) return among[0] ?? null;
  const open = among.filter(({ deployment }) => mayServe(deployment));
  const arms = (open.length > 0 ? open : among).map((arm) => ({
    target: arm,
    weight: arm.weight,
    reachable: !arm.deployment.held && isWorthTrying(arm.deployment, at.now),
  }));
  const unit = split && unitOf(split.by, asker);
  if (split && unit !== null)
    return pickSticky(arms, hashPair(hashText(unit), split.salt), (arm) => arm.deployment.name);
  return pickArm(arms, at.random());
}

/** It has an engine, or one is on its way or would be loaded. */
export function mayServe({ instances, demand, held }: RouteArm['deployment']): boolean {
  return instances.length > 0 || demand !== null || held;
}

/**
 * The target for one request, by weight; `random` is from 0 up to 1. Targets that cannot be reached are left out as
 * long as another can. Null only when there are no arms.
 */
export function pickArm<Target>(arms: readonly Arm<Target>[], random: number): Target | null {
  const pool = within(arms);
  const total = pool.reduce((sum, arm) => sum + arm.weight, 0);
  let left = random * total;
  for (const arm of pool) {
    left -= arm.weight;
    if (left < 0) return arm.target;
  }
  return pool.at(-1)?.target ?? null;
}

/**
 * The target of one client, by weight: always the same for the same `unit`, a 32-bit hash. When weights or targets
 * change, clients move only towards those whose share grew (weighted rendezvous hashing).
 */
export function pickSticky<Target>(
  arms: readonly Arm<Target>[],
  unit: number,
  nameOf: (target: Target) => string,
): Target | null {
  let best: Target | null = null;
  let bestScore = -Infinity;
  for (const { target, weight } of within(arms)) {
    const score = rendezvousScore(unit, hashText(nameOf(target)), weight);
    if (score > bestScore) [best, bestScore] = [target, score];
  }
  return best;
}

function within<Target>(arms: readonly Arm<Target>[]): readonly Arm<Target>[] {
  const live = arms.filter((arm) => arm.reachable);
  return live.length > 0 ? live : arms;
}
