import type { ClusterGatewayStatus } from '../../domain/fleet-status.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { gatewayName } from '../../kube/names.ts';
import { readyPods, waitsFor } from '../../kube/state.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { insidePort } from '../gateway/inside-file.ts';
import { madeGateway } from './look.ts';
import { usualPods } from './wanted.ts';

/** How many of its pods serve; `unreachable`: its cluster did not answer. */
export async function gatewayStatus(
  world: World,
  loaded: LoadedFleet,
  { host, silent }: { host: string; silent: boolean },
): Promise<ClusterGatewayStatus> {
  const wanted = loaded.gateway.replicas ?? usualPods;
  const nothing = { host, ready: 0, replicas: wanted, url: null, waits: null };
  if (silent) return { ...nothing, state: 'unreachable' };
  const place = await placeOf(await worldOfHost(world, loaded.hosts, host));
  const made = await madeGateway(place, loaded);
  if (!made) return { ...nothing, state: 'stopped' };
  const ready = readyPods(made).length;
  const replicas = made.deployment.spec.replicas ?? 1;
  const scheme = loaded.gateway.tls ? 'https' : 'http';
  const url = `${scheme}://${gatewayName}.${place.namespace}:${insidePort(loaded)}`;
  const waits = ready >= replicas ? null : waitsFor(made);
  return { host, ready, replicas, url, waits, state: ready > 0 ? 'serving' : 'starting' };
}
