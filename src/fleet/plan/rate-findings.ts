import type { Finding } from '../../domain/finding.ts';
import { rateAboveMeasured } from '../../domain/rate-above-measured.ts';
import type { Service } from '../../domain/sustained-rate.ts';
import type { Deployment } from '../file/resolve.ts';

/** What a benchmark measured of a deployment. */
export interface MeasuredService extends Omit<Service, 'slots'> {
  readonly run: string;
  readonly stage: string;
}

/** How a deployment serves when no more requests are under way than it has slots; null: never measured so. */
export type Measurements = (deployment: string, slots: number) => Promise<MeasuredService | null>;

/**
 * A bound on requests per second that the engine cannot keep up anyway: it bounds nothing, and those who read it count on
 * it. `slots` of the deployment by its name; null: not known.
 */
export async function rateFindings(
  deployments: readonly Deployment[],
  slots: (deployment: string) => number | null,
  measured: Measurements,
): Promise<Finding[]> {
  const found = deployments.map(async ({ name, limits }): Promise<Finding[]> => {
    const own = slots(name);
    if (limits?.rps === undefined || own === null) return [];
    const service = await measured(name, own);
    const wrong = service && rateAboveMeasured(name, limits.rps, { ...service, slots: own });
    return wrong ? [{ rule: 'rate-above-measured', severity: 'warning', ...wrong }] : [];
  });
  return (await Promise.all(found)).flat();
}
