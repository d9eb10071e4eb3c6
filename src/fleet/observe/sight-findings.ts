import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { claimants } from './claimants.ts';
import { leftUnseen } from './left-unseen.ts';
import { markFindings } from './mark-findings.ts';
import { instancesOf, silentFindings } from './observe.ts';
import type { Sight } from './observe.ts';

/** What of these hosts could not be looked at, what may be left behind there, and who says to be of this fleet and is not believed. */
export async function sightFindings(
  world: World,
  loaded: LoadedFleet,
  { observed, hosts }: { readonly observed: Sight; readonly hosts: ReadonlySet<string> },
): Promise<Finding[]> {
  return [
    ...silentFindings(observed, hosts, loaded.deployments),
    ...(await leftUnseen(world, loaded, observed)),
    ...claimants(observed, loaded),
    ...markFindings(world, loaded, instancesOf(observed, loaded)),
  ];
}
