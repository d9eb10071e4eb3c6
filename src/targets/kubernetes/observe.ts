import { BerthError } from '../../domain/errors/berth-error.ts';
import { Mark } from '../../domain/instance.ts';
import type { Instance, Reached } from '../../domain/instance.ts';
import { parseJson } from '../../domain/json.ts';
import { getObject, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { fleetLabel, markAnnotation, objectName } from '../../kube/names.ts';
import type { World } from '../../io/world.ts';
import type { Settled, Usage } from '../contract.ts';
import { DeploymentLive, PodLive, PodMetrics, ServiceLive } from './answers.ts';
import type { KubernetesOptions } from './options.ts';
import { imageFault, isRolledOut, podsOf, restartsOf, servingPod, waitsFor } from './state.ts';
import type { Made } from './state.ts';

const deploymentKind = { apiVersion: 'apps/v1', kind: 'Deployment' };

/** All marked Deployments of the namespace, whichever fleet they are of. */
export async function markedDeployments(world: World): Promise<Instance[]> {
  const place = await placeOf(world);
  const all = await listObjects(place, { ...deploymentKind, labels: fleetLabel }, DeploymentLive);
  const found = await Promise.all(
    all.map(async (deployment) => {
      const mark = markOf(deployment);
      return mark && instanceOf(place, mark, await madeBy(place, mark, deployment));
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/** Null for a mark of another version of berth, which is left alone. */
export function markOf({ metadata }: DeploymentLive): Mark | null {
  return Mark.safeParse(parseJson(metadata.annotations?.[markAnnotation] ?? '')).data ?? null;
}

/** The Deployment of a mark with its pods; null when it is gone. */
export async function look(place: Place, mark: Mark): Promise<Made | null> {
  const name = objectName(mark.deployment, mark.replica);
  const deployment = await getObject(place, { ...deploymentKind, name }, DeploymentLive);
  return deployment && madeBy(place, mark, deployment);
}

/** The same object as was observed, with its pods; null when it is gone, though another may have its name. */
export async function lookAgain(place: Place, { mark, object }: Instance): Promise<Made | null> {
  const made = mark && (await look(place, mark));
  return made?.deployment.metadata.uid === object.id ? made : null;
}

async function madeBy(place: Place, mark: Mark, deployment: DeploymentLive): Promise<Made> {
  const labels = `app.kubernetes.io/instance=${objectName(mark.deployment, mark.replica)}`;
  const [replicaSets, pods] = await Promise.all([
    listObjects(place, { apiVersion: 'apps/v1', kind: 'ReplicaSet', labels }, Live),
    listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive),
  ]);
  return { deployment, replicaSets, pods };
}

export async function instanceOf(place: Place, mark: Mark, made: Made): Promise<Instance> {
  const { metadata, spec } = made.deployment;
  const reached = await reachedAt(place, mark, made);
  const alive = (spec.replicas ?? 1) > 0 && !metadata.deletionTimestamp;
  const [pod] = podsOf(made);
  return {
    host: 'local',
    object: { target: 'kubernetes', id: metadata.uid, name: `deployment ${metadata.name}` },
    alive,
    trouble: alive ? waitsFor(made) : 'is scaled to no pod',
    process: null,
    engine: mark.spec.engine,
    model: mark.spec.model,
    owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
    endpoints: reached ? [{ address: reached.address, port: mark.port, netns: 'cluster' }] : [],
    rssBytes: null,
    startedAt: timeOf(pod?.status?.startTime ?? metadata.creationTimestamp),
    mark: reached ? { ...mark, reached } : mark,
  };
}

function timeOf(text: string | null | undefined): string | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** The address of its pod, or of the pod's node where its Service has a port there; null while no pod is ready. */
async function reachedAt(place: Place, mark: Mark, made: Made): Promise<Reached | null> {
  const pod = servingPod(made);
  const { podIP, hostIP } = pod?.status ?? {};
  if (!podIP) return null;
  // Its own schema has parsed them before they were written into the mark.
  const { service } = mark.target as unknown as KubernetesOptions;
  if (service.type !== 'NodePort' || !hostIP) return { address: podIP, port: mark.port };
  const name = objectName(mark.deployment, mark.replica);
  const live = await getObject(place, { apiVersion: 'v1', kind: 'Service', name }, ServiceLive);
  const port = live?.spec.ports?.[0]?.nodePort;
  return port ? { address: hostIP, port } : { address: podIP, port: mark.port };
}

/** Throws IMAGE_MISSING once the node has given up on its image. */
export async function settled(world: World, instance: Instance): Promise<Settled> {
  const place = await placeOf(world);
  const { mark } = instance;
  const made = await lookAgain(place, instance);
  if (!made || !mark) return { waits: 'is gone' };
  const reason = imageFault(made);
  if (reason !== null) {
    const image = podsOf(made)[0]?.status?.containerStatuses?.[0]?.image ?? 'of its deployment';
    throw new BerthError('IMAGE_MISSING', { deployment: mark.deployment, image, reason });
  }
  const reached = await reachedAt(place, mark, made);
  if (reached && isRolledOut(made)) return reached;
  return { waits: waitsFor(made) ?? 'waits for the pod before it to end' };
}

/** False too once another pod serves in place of the one that was seen, so that whoever watches looks closer. */
export async function isAlive(world: World, instance: Instance): Promise<boolean> {
  const place = await placeOf(world);
  const made = await lookAgain(place, instance);
  if (!made || !instance.mark || (made.deployment.spec.replicas ?? 1) === 0) return false;
  const before = instance.mark.reached;
  const now = before && (await reachedAt(place, instance.mark, made));
  return !now || (now.address === before.address && now.port === before.port);
}

export async function usage(world: World, instance: Instance): Promise<Usage> {
  const place = await placeOf(world);
  const made = await lookAgain(place, instance);
  if (!made || !instance.mark) return { memoryBytes: null, cpuSeconds: null, restarts: null };
  const name = objectName(instance.mark.deployment, instance.mark.replica);
  const labels = encodeURIComponent(`app.kubernetes.io/instance=${name}`);
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${place.namespace}/pods?labelSelector=${labels}`;
  const { status, json } = await place.api.ask('GET', path);
  const items = status === 200 ? (PodMetrics.safeParse(json).data?.items ?? []) : [];
  const sizes = items.flatMap(({ containers }) =>
    containers.flatMap((one) => bytesOf(one.usage.memory) ?? []),
  );
  return {
    memoryBytes: sizes.length === 0 ? null : sizes.reduce((sum, one) => sum + one, 0),
    cpuSeconds: null,
    restarts: restartsOf(made),
  };
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

function bytesOf(quantity: string | null | undefined): number | null {
  const found = /^(\d+)(k|M|G|Ki|Mi|Gi|)$/.exec(quantity ?? '');
  return found ? Number(found[1]) * (units[found[2] ?? ''] ?? 1) : null;
}
