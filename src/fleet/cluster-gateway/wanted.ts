import type { ClusterGateway, InsideFile } from '../../domain/cluster-gateway.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { SecretRef } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import { engineKeyOf } from '../apply/engine-key.ts';
import { usualDrainMs } from '../apply/move-traffic.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { insidePort } from '../gateway/inside-file.ts';

/** Of two, one is left when a node goes. */
export const usualPods = 2;

/** The gateway that the file wants in a cluster, and in which. */
export interface WantedGateway {
  readonly host: string;
  readonly gateway: ClusterGateway;
}

/** Null: in none. Throws GATEWAY_NOT_WRITTEN with what is in its way. */
export function wantedGateway(world: World, loaded: LoadedFleet): WantedGateway | null {
  const { inside, gateway } = loaded;
  const { host, image, replicas = usualPods } = gateway;
  if (host === undefined || image === undefined || !inside) return null;
  const [reason] = inside.obstacles;
  if (reason !== undefined)
    throw new BerthError('GATEWAY_NOT_WRITTEN', { format: `pods of ${host}`, reason });
  return { host, gateway: clusterGateway(world, loaded, { inside, image, replicas }) };
}

/** All that its objects are made from. */
export function clusterGateway(
  world: World,
  loaded: LoadedFleet,
  { inside, image, replicas }: Pick<ClusterGateway, 'image' | 'replicas'> & { inside: InsideFile },
): ClusterGateway {
  const { allowAnonymous, limits, tls } = loaded.gateway;
  return {
    image,
    replicas,
    port: insidePort(loaded),
    fleetFile: inside.text,
    variables: { ...inside.secrets },
    engineKeys: engineKeysOf(world, loaded),
    ...(tls?.secret !== undefined && { tlsSecret: tls.secret }),
    allowAnonymous,
    inFile: loaded.gateway.host !== undefined,
    drainMs: limits.drain ?? usualDrainMs,
    ...(choosesUsers(loaded) ? { anyUser: true } : {}),
  };
}

/** Of the gateway's cluster; one that the command line alone has written goes to that of the engines. */
function choosesUsers({ gateway, hosts, deployments }: LoadedFleet): boolean {
  const places = gateway.host === undefined ? deployments.map(({ host }) => host) : [gateway.host];
  return places.some((host) => hosts[host]?.kubernetes?.openshift);
}

/** Of engines that run in a cluster: on a machine nobody there reaches them. */
function engineKeysOf(world: World, loaded: LoadedFleet): Record<string, SecretRef> {
  const within = loaded.deployments.filter(({ host }) => loaded.hosts[host]?.kubernetes);
  return Object.fromEntries(
    within.flatMap((one) => {
      const ref = engineKeyOf(world, loaded, one);
      return ref ? [[one.name, ref] as const] : [];
    }),
  );
}
