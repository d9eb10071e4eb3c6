import { GatewayMark } from '../../domain/cluster-gateway.ts';
import { SecretHashes } from '../../domain/instance.ts';
import { machineOf } from '../../domain/host-access.ts';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { DeploymentLive } from '../../kube/answers.ts';
import { getObject } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { madeBy } from '../../kube/made.ts';
import { gatewayAnnotation, gatewayName, gatewaySecretsAnnotation } from '../../kube/names.ts';
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
  /** Hashes of the secrets that it was given; null: somebody else applied its files. */
  readonly secrets: SecretHashes | null;
}

/** The hosts that are clusters, each cluster once: of several names for one the wanted one, else it would look like two places. Pure. */
export function clustersOnce(hosts: Hosts, wanted: string | undefined): string[] {
  const clusters = Object.entries(hosts)
    .filter(([, host]) => host.kubernetes)
    .toSorted(([a], [b]) => Number(a === wanted) - Number(b === wanted));
  return [...new Map(clusters.map(([name, host]) => [machineOf(host), name])).values()];
}

/** The gateways of a fleet in all those hosts that are clusters; each machine is asked once. */
export async function seenGateways(
  world: World,
  fleet: FleetIdentity,
  { hosts, wanted }: { hosts: Hosts; wanted?: string | undefined },
): Promise<SeenGateway[]> {
  const found = await Promise.all(
    clustersOnce(hosts, wanted).map(async (host): Promise<SeenGateway[]> => {
      const live = await liveGateway(await placeOf(await worldOfHost(world, hosts, host)), fleet);
      return live ? [{ host, mark: markOn(live), secrets: secretsOn(live) }] : [];
    }),
  );
  return found.flat();
}

/** Null for one of another version of berth. */
export function markOn({ metadata }: DeploymentLive): GatewayMark | null {
  return GatewayMark.safeParse(parseJson(metadata.annotations?.[gatewayAnnotation] ?? '')).data ?? null;
}

export function secretsOn({ metadata }: DeploymentLive): SecretHashes | null {
  const text = metadata.annotations?.[gatewaySecretsAnnotation];
  return SecretHashes.safeParse(parseJson(text ?? '')).data ?? null;
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
