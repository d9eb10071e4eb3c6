import { z } from 'zod';
import type { ObservedCluster } from '../../domain/audit/observation.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { listObjects } from '../../kube/client.ts';
import { apiGroups } from '../../kube/api-groups.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { everyNamespace } from '../../kube/kinds.ts';
import type { KubeKind } from '../../kube/kinds.ts';
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

/** What others bring to a cluster that makes pods, or names a claim, also while it has no pod: by group, kind and plural. */
const brought = [
  ['leaderworkerset.x-k8s.io', 'LeaderWorkerSet', 'leaderworkersets'],
  ['jobset.x-k8s.io', 'JobSet', 'jobsets'],
  ['ray.io', 'RayService', 'rayservices'],
  ['ray.io', 'RayCluster', 'rayclusters'],
  ['ray.io', 'RayJob', 'rayjobs'],
  ['argoproj.io', 'Rollout', 'rollouts'],
  ['kubeai.org', 'Model', 'models'],
  ['apps.openshift.io', 'DeploymentConfig', 'deploymentconfigs'],
  ['apps.nvidia.com', 'NIMCache', 'nimcaches'],
  ['inference.networking.k8s.io', 'InferencePool', 'inferencepools'],
] as const;

const Anything = z.record(z.string(), z.unknown());
type Anything = z.infer<typeof Anything>;
/** The groups that a cluster serves; null: not shown. */
type Groups = ReadonlyMap<string, string> | null;

/**
 * The objects of one namespace, or of all that the cluster has. Throws what the server refuses: rules that miss a kind would tell
 * what is not so. Kinds that others brought are named where they are refused, so that what they may use is not taken for unused.
 */
export async function observeCluster(
  world: World,
  name: string,
  { everywhere = false, reach = null }: { everywhere?: boolean; reach?: ObservedCluster['reach'] } = {},
): Promise<ObservedCluster> {
  const own = await placeOf(world);
  const place = everywhere ? { ...own, namespace: everyNamespace } : own;
  const groups = await apiGroups(place).catch(refusedOf);
  const served = kinds.filter(([apiVersion]) => isServed(groups, apiVersion));
  const [lists, others, runtimes] = await Promise.all([
    Promise.all(served.map(([apiVersion, kind]) => listKind(place, { apiVersion, kind }))),
    listBrought(place, groups),
    listRuntimes(place, groups),
  ]);
  const objects = withoutSecrets([...lists.flat(), ...others.objects, ...runtimes]);
  return { name, reach, objects, unseen: others.unseen };
}

async function listKind(place: Place, what: KubeKind): Promise<Anything[]> {
  const found = await listObjects(place, { ...what, labels: '' }, Anything);
  const { apiVersion, kind } = what;
  // A list does not say again of each what it is a list of.
  return found.map((object) => ({ ...object, apiVersion, kind }));
}

/** Whoever may see part of a cluster is refused a kind that it does not have, too: those are not asked for. */
function isServed(groups: Groups, apiVersion: string): boolean {
  const [group = '', version] = apiVersion.split('/');
  return groups === null || groups.size === 0 || version === undefined || groups.has(group);
}

/** Runtimes that no namespace has, by which services of every one may run. Whoever sees one namespace may not see them. */
async function listRuntimes(place: Place, groups: Groups): Promise<Anything[]> {
  const what = { apiVersion: 'serving.kserve.io/v1alpha1', kind: 'ClusterServingRuntime' };
  if (!isServed(groups, what.apiVersion)) return [];
  return (await listKind({ ...place, namespace: everyNamespace }, what).catch(refusedOf)) ?? [];
}

async function listBrought(place: Place, groups: Groups): Promise<{ objects: Anything[]; unseen: string[] }> {
  if (groups === null) return { objects: [], unseen: brought.map(([, kind]) => kind) };
  const found = await Promise.all(
    brought.map(async ([group, kind, plural]) => {
      const apiVersion = groups.get(group);
      if (apiVersion === undefined) return { kind, objects: [] };
      return { kind, objects: await listKind(place, { apiVersion, kind, plural }).catch(refusedOf) };
    }),
  );
  return {
    objects: found.flatMap(({ objects }) => objects ?? []),
    unseen: found.flatMap(({ kind, objects }) => (objects === null ? [kind] : [])),
  };
}

/** Null for what is not shown to everybody, or what the server behind it does not answer for; any other fault goes on. */
function refusedOf(error: unknown): null {
  if (error instanceof BerthError && ['KUBE_FORBIDDEN', 'KUBE_REFUSED'].includes(error.code)) return null;
  throw error;
}
