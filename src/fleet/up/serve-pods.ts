import { BerthError } from '../../domain/errors/berth-error.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import type { KubeEndpoint } from '../../kube/endpoints.ts';
import { fleetEndpoints } from '../../kube/follow-endpoints.ts';
import type { EndpointsFollowed } from '../../kube/follow-endpoints.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { knativeEndpoints, kserveServices } from './serve-marks.ts';

interface Pods {
  /** They are asked by one address, whoever answers there. */
  readonly always: readonly KubeEndpoint[];
  readonly first: readonly KubeEndpoint[];
  readonly follow: (how: EndpointsFollowed) => Promise<void>;
  readonly text: (seen: readonly KubeEndpoint[]) => string;
}

/** Tells files apart by what they say of engines in the cluster, in whatever order. */
export function podsKey({ deployments }: LoadedFleet): string {
  const inCluster = deployments.filter(({ engine }) => engineOf(engine.kind).launch);
  const texts = inCluster.map(({ name, replicas, target }) => JSON.stringify([name, replicas, target]));
  return texts.toSorted().join('\n');
}

/** The pods of the fleet's engines. Where berth starts none of them, no cluster is asked. */
export async function podsOf(
  world: World,
  loaded: LoadedFleet,
  { context, namespace }: { context: string; namespace: string | null },
): Promise<Pods> {
  if (loaded.deployments.every(({ engine }) => !engineOf(engine.kind).launch))
    return {
      always: [],
      first: [],
      follow: ({ signal }) => untilAborted(signal),
      text: () => 'the servers that the file names',
    };
  if (namespace === null)
    throw new BerthError('USAGE', { detail: '--namespace is missing, and this is no pod', command: 'serve' });
  const place = await placeOf({ ...world, cluster: { context, namespace, createNamespace: false } });
  const wanted = { fleetId: loaded.fleetId, kserve: kserveServices(loaded) };
  const always = knativeEndpoints(loaded, namespace);
  return {
    ...(await fleetEndpoints(place, wanted)),
    always,
    text: (seen) => podsText([...always, ...seen]),
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

function podsText(seen: readonly KubeEndpoint[]): string {
  return seen.length === 0 ? 'no pod yet' : seen.map(({ pod }) => pod).join(', ');
}
