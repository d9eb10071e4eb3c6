import { GatewayMark } from '../../domain/cluster-gateway.ts';
import { machineOf } from '../../domain/host-access.ts';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { DeploymentLive } from '../../kube/answers.ts';
import { getObject } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { madeBy } from '../../kube/made.ts';
import { gatewayAnnotation, gatewayName } from '../../kube/names.ts';
import { otherOwner } from '../../kube/ownership.ts';
import type { Made } from '../../kube/state.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';
import type { FleetIdentity } from '../file/paths.ts';

export const gatewayPods = `app.kubernetes.io/name=${gatewayName}`;
const kind = { apiVersion: 'apps/v1', kind: 'Deployment', name: gatewayName } as const;

/** The gateway of a fleet as a cluster has it. */
export interface SeenGateway {
  readonly host: string;
  /** What was asked for; null: another version of berth wrote it. */
  readonly mark: GatewayMark | null;
}

/** The gateways of a fleet in all those hosts that are clusters; each machine is asked once. */
export async function seenGateways(world: World, fleet: FleetIdentity, hosts: Hosts): Promise<SeenGateway[]> {
  const clusters = Object.entries(hosts).filter(([, host]) => host.kubernetes);
  const once = new Map(clusters.map(([name, host]) => [machineOf(host), name]));
  const found = await Promise.all(
    [...once.values()].map(async (host): Promise<SeenGateway[]> => {
      const live = await liveGateway(await placeOf(await worldOfHost(world, hosts, host)), fleet);
      return live ? [{ host, mark: markOn(live) }] : [];
    }),
  );
  return found.flat();
}

/** Null for one of another version of berth. */
export function markOn({ metadata }: DeploymentLive): GatewayMark | null {
  return GatewayMark.safeParse(parseJson(metadata.annotations?.[gatewayAnnotation] ?? '')).data ?? null;
}

/** Null where there is none, or one of somebody else. */
export async function liveGateway(place: Place, fleet: FleetIdentity): Promise<DeploymentLive | null> {
  const live = await getObject(place, kind, DeploymentLive);
  return live && otherOwner(live, fleet) === null ? live : null;
}

/** The same with its pods. */
export async function madeGateway(place: Place, fleet: FleetIdentity): Promise<Made | null> {
  const live = await liveGateway(place, fleet);
  return live && madeBy(place, live, { labels: gatewayPods });
}
