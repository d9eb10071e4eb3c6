import { measuredService } from '../../bench/run/measured-service.ts';
import type { Measurements } from '../../fleet/plan/rate-findings.ts';
import type { World } from '../../io/world.ts';

/** What the benchmarks that were run on this machine tell a plan. */
export function measurementsOf(world: World): Measurements {
  return (deployment, slots) => measuredService(world, deployment, slots);
}
