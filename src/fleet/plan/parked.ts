import { machineOf } from '../../domain/host-access.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance } from '../../domain/instance.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Its deployment was stopped by hand, and this is where it would run: there it may stand still instead of being removed. Pure. */
export function mayStandStill(fleet: LoadedFleet, instance: Instance): boolean {
  const stated = fleet.deployments.find(({ name }) => name === instance.mark?.deployment);
  return comesAgain(fleet, instance) && instance.mark?.target.kind === stated?.target.kind;
}

/** It was stopped by hand, and is started again in its place when it is started by hand. Pure. */
export function comesAgain({ hosts, deployments }: LoadedFleet, { mark, host }: Instance): boolean {
  const stated = deployments.find(({ name }) => name === mark?.deployment);
  if (!mark || stated?.atRest === undefined) return false;
  return mark.replica < stated.replicas && host === machineOf(hosts[stated.host]);
}

/** What stands still by its object's own word, without a word of berth's: by a dashboard's, say. Pure. */
export function parkedFindings({ deployments }: LoadedFleet, own: readonly Instance[]): Finding[] {
  return own.flatMap(({ parked, mark, object, trouble }): Finding[] => {
    const stated = deployments.find(({ name }) => name === mark?.deployment);
    if (!parked || !stated || stated.atRest !== undefined) return [];
    return [
      {
        rule: 'at-rest',
        severity: 'info',
        object: stated.name,
        message: `${stated.name} was stopped by hand: ${object.name} ${trouble ?? 'is stopped'}.`,
        evidence: [object.name],
        cure: `"berth start ${stated.name}" starts it.`,
      },
    ];
  });
}
