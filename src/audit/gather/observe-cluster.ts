import { z } from 'zod';
import type { ObservedCluster } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import { listObjects } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { everyNamespace } from '../../kube/kinds.ts';
import { withoutSecrets } from './without-secrets.ts';

/** What rules look at. No Secrets: their data is nobody's business. */
const kinds = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'Job'],
  ['batch/v1', 'CronJob'],
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['discovery.k8s.io/v1', 'EndpointSlice'],
  ['v1', 'PersistentVolumeClaim'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
  ['route.openshift.io/v1', 'Route'],
  ['serving.kserve.io/v1beta1', 'InferenceService'],
  ['serving.kserve.io/v1alpha1', 'ServingRuntime'],
  ['serving.kserve.io/v1alpha1', 'LLMInferenceService'],
] as const;

const Anything = z.record(z.string(), z.unknown());

/**
 * The objects of one namespace, or of all that the cluster has. Throws what the server refuses: rules that miss a kind would tell
 * what is not so.
 */
export async function observeCluster(
  world: World,
  name: string,
  { everywhere = false, reach = null }: { everywhere?: boolean; reach?: ObservedCluster['reach'] } = {},
): Promise<ObservedCluster> {
  const own = await placeOf(world);
  const place = everywhere ? { ...own, namespace: everyNamespace } : own;
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind]) => {
      const found = await listObjects(place, { apiVersion, kind, labels: '' }, Anything);
      // A list does not say again of each what it is a list of.
      return found.map((object) => ({ ...object, apiVersion, kind }));
    }),
  );
  return { name, reach, objects: withoutSecrets(lists.flat()) };
}
