import type { ClusterGateway, InsideFile } from '../../domain/cluster-gateway.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { usualDrainMs } from '../apply/move-traffic.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { insidePort } from '../gateway/inside-file.ts';

/** Of two, one is left when a node goes. */
export const usualPods = 2;

/** The gateway that the file wants in a cluster, and in which; null: in none. Throws GATEWAY_NOT_WRITTEN with what is in its way. */
export function wantedGateway(loaded: LoadedFleet): { host: string; gateway: ClusterGateway } | null {
  const { inside, gateway } = loaded;
  const { host, image, replicas = usualPods } = gateway;
  if (host === undefined || image === undefined || !inside) return null;
  const [reason] = inside.obstacles;
  if (reason !== undefined)
    throw new BerthError('GATEWAY_NOT_WRITTEN', { format: `pods of ${host}`, reason });
  return { host, gateway: clusterGateway(loaded, inside, { image, replicas }) };
}

/** All that its objects are made from. */
export function clusterGateway(
  loaded: LoadedFleet,
  { text, variables }: InsideFile,
  { image, replicas }: Pick<ClusterGateway, 'image' | 'replicas'>,
): ClusterGateway {
  const { allowAnonymous, limits } = loaded.gateway;
  return {
    image,
    replicas,
    port: insidePort(loaded),
    fleetFile: text,
    variables: Object.fromEntries(variables.map((name) => [name, referenceTo(loaded, name)])),
    engineKeys: loaded.deployments.filter(({ ownKey }) => ownKey).map(({ name }) => name),
    allowAnonymous,
    inFile: loaded.gateway.host !== undefined,
    drainMs: limits.drain ?? usualDrainMs,
  };
}

/** Where a variable lies here: in the environment, or in the file beside the fleet's as well. */
function referenceTo({ gateway, deployments }: LoadedFleet, name: string): SecretRef {
  const all = [
    ...Object.values(gateway.keys),
    gateway.limits.shared,
    ...deployments.map(({ engine }) => engine['key'] as SecretRef | undefined),
  ];
  const found = all.find((one) => one && 'env' in one && one.env === name);
  return found && 'env' in found ? found : { env: name };
}
