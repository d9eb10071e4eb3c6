import type { World } from '../../io/world.ts';
import { PodLive } from '../../kube/answers.ts';
import { deleteObject, listObjects, Live } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { fleetIdLabel, fleetLabel } from '../../kube/names.ts';
import { expectUntracked } from '../../kube/ownership.ts';
import { waitGone } from '../../kube/wait-gone.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { gatewayPods, liveGateway } from './look.ts';

/** What a gateway has, in the order in which it is taken away. */
const kinds = [
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Secret' },
] as const;

/** Beyond the time that its pods are given to end by themselves. */
const graceMs = 60_000;

/** Takes the gateway of this fleet away with all that belongs to it. Resolves when no pod of it is left. */
export async function removeGateway(world: World, fleet: FleetIdentity): Promise<null> {
  const place = await placeOf(world);
  const live = await liveGateway(place, fleet);
  if (live) expectUntracked('Deployment', live);
  const labels = [`${fleetLabel}=${fleet.fleet}`, `${fleetIdLabel}=${fleet.fleetId}`, gatewayPods].join(',');
  for (const kind of kinds)
    for (const { metadata } of await listObjects(place, { ...kind, labels }, Live))
      await deleteObject(place, kind, metadata);
  await waitGone(world, place, {
    graceMs,
    pods: () => listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels: gatewayPods }, PodLive),
    rest: async () => {
      const left = await liveGateway(place, fleet);
      return left && { kind: 'deployment', object: left };
    },
  });
  return null;
}
