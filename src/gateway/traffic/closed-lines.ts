import { LineClosed } from '../front/call.ts';
import { aWhile, noInstance } from '../reply/faults.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Deployment } from '../routing/deployment.ts';
import { isDraining } from '../routing/instance.ts';
import type { GatewayState } from '../state.ts';

/**
 * Who waits for a deployment that a reload has taken away gets in line for what its route leads to by now. Where the route itself is
 * gone, its old engines still serve those who came before, until they are drained.
 */
export function closeLines({ snapshot, deserted }: GatewayState, before: Snapshot): void {
  for (const old of before.deployments.values()) {
    if (snapshot.deployments.get(old.name) === old || old.waiting === 0) continue;
    deserted.add(old);
    const led = [...before.routes.values()].filter(({ arms }) => arms.some((arm) => arm.deployment === old));
    if (led.every(({ name }) => snapshot.routes.has(name))) old.refuseAll(() => new LineClosed());
  }
  // No engine of it comes before somebody starts one.
  for (const now of snapshot.deployments.values())
    if (now.stoppedByHand && now.instances.length === 0) now.refuseAll(() => noInstance(now, aWhile()));
}

/**
 * For one that came before a reload and gets in line after it. Throws LineClosed when `deployment` was taken away and somebody else
 * serves the route by now.
 */
export function askLate({ snapshot, deserted }: GatewayState, deployment: Deployment, route: string): void {
  if (snapshot.deployments.get(deployment.name) === deployment) return;
  if (snapshot.routes.has(route)) throw new LineClosed();
  deserted.add(deployment);
}

/** Nobody is left to serve those who still wait for a deployment that was taken away. `now`: monotonic milliseconds. */
export function leaveDrained({ deserted }: GatewayState, now: number): void {
  for (const old of deserted)
    if (old.instances.every((one) => isDraining(one, now))) old.refuseAll(() => new LineClosed());
}
