import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { fleetEndpoints } from '../../kube/endpoints.ts';
import type { KubeEndpoint } from '../../kube/endpoints.ts';
import { objectName } from '../../kube/names.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';
import { startGateway } from '../gateway/gateway-child.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import { gatewayConfig } from '../gateway/gateway-config.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { Seats } from './seats.ts';

const lookMs = 1_000;

export interface ServeOptions {
  /** A context of the kubeconfig, or the cluster that this runs in. */
  readonly context: string;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/**
 * Fronts the engines of a fleet that run in a namespace, whoever started them, and follows them as they come and go; it
 * starts, changes and stops none. Of an API server that does not answer later on the last word counts. Throws what the first
 * look meets, and GATEWAY_FAILED when the gateway has ended by itself: whoever started this starts it again.
 */
export async function serve(world: World, fleet: LoadedFleet, options: ServeOptions): Promise<void> {
  const { signal, onProgress } = options;
  const loaded = asSeenFromInside(fleet);
  const cluster = { ...options, createNamespace: false };
  const place = await placeOf({ ...world, cluster });
  const paths = fleetPaths(world, loaded);
  const seats = new Seats();
  let seen = await fleetEndpoints(place, loaded.fleetId);
  const gateway = await startGateway(
    world,
    paths,
    await configOf(world, loaded, { seen, seats, paths }),
    () => {},
    onProgress,
  );
  onProgress(`Serving ${loaded.fleet} at ${gateway.url}/v1 from ${podsText(seen)}`);
  let silent = false;
  const gone = endOf(gateway);
  try {
    while (!signal.aborted) {
      await Promise.race([world.clock.sleep(lookMs, signal).catch(() => {}), gateway.exited]);
      if (signal.aborted) return;
      if (gone()) throw new BerthError('GATEWAY_FAILED', { log: [], logFile: paths.gatewayLog });
      try {
        const now = await fleetEndpoints(place, loaded.fleetId);
        if (silent) onProgress('The cluster answers again');
        silent = false;
        if (JSON.stringify(now) === JSON.stringify(seen)) continue;
        await gateway.reload(await configOf(world, loaded, { seen: now, seats, paths }));
        seen = now;
        onProgress(`Serving from ${podsText(now)}`);
      } catch (error) {
        if (!silent) onProgress(`The engines are as they were last seen: ${String(error)}`);
        silent = true;
      }
    }
  } finally {
    await gateway.stop();
  }
}

function endOf({ exited }: GatewayChild): () => boolean {
  let ended = false;
  void exited.then(() => (ended = true));
  return () => ended;
}

function podsText(seen: readonly KubeEndpoint[]): string {
  return seen.length === 0 ? 'no pod yet' : seen.map(({ pod }) => pod).join(', ');
}

/** Hosts are names of another machine's file here: everything is reached by the address of its pod. */
function asSeenFromInside(fleet: LoadedFleet): LoadedFleet {
  return {
    ...fleet,
    hosts: { local: { become: 'none', reserve: [] } },
    deployments: fleet.deployments.map((one) => ({ ...one, host: 'local' })),
  };
}

function configOf(
  world: World,
  loaded: LoadedFleet,
  { seen, seats, paths }: { seen: readonly KubeEndpoint[]; seats: Seats; paths: FleetPaths },
): Promise<GatewayConfig> {
  const marks = marksOf(loaded, seen, seats);
  const most = Math.max(2, ...marks.map(({ replica }) => replica + 1));
  // While pods are exchanged there are more of them than replicas.
  const deployments = loaded.deployments.map((one) => ({ ...one, replicas: Math.max(one.replicas, most) }));
  return gatewayConfig(
    world,
    { ...loaded, deployments },
    { engines: marks.map((mark) => ({ mark })), secretsDir: paths.secrets, ownKeys: [] },
  );
}

/** What stands on an engine elsewhere follows here from the file, and its place from the cluster. */
function marksOf(loaded: LoadedFleet, seen: readonly KubeEndpoint[], seats: Seats): Mark[] {
  return loaded.deployments.flatMap((deployment) => {
    const spec = launchSpecOf(deployment, { cores: null, help: null, key: null });
    const mine = seen.filter(({ name }) => name === objectName(deployment.name, 0));
    const numbers = seats.take(
      deployment.name,
      mine.map(({ pod }) => pod),
    );
    if (!spec) return [];
    return mine.map(({ pod, address, port }) => ({
      fleet: loaded.fleet,
      fleetId: loaded.fleetId,
      deployment: deployment.name,
      replica: numbers.get(pod) ?? 0,
      target: { ...deployment.target },
      address,
      port,
      reached: { address, port },
      logFile: '',
      declared: {},
      spec,
    }));
  });
}
