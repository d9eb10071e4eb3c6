import type { Measurements } from '../../fleet/plan/rate-findings.ts';
import type { World } from '../../io/world.ts';

/** What the benchmarks that were run on this machine tell a plan. Few plans ask, so the reading of reports is loaded then. */
export function measurementsOf(world: World): Measurements {
  return async (deployment, slots) => {
    const { measuredService } = await import('../../bench/run/measured-service.ts');
    return measuredService(world, deployment, slots);
  };
}
