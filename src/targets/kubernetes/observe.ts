import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Instance, Reached } from '../../domain/instance.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import { getObject, listObjects } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { fleetLabel, markAnnotation, objectName } from '../../kube/names.ts';
import { podLines } from '../../kube/pod-lines.ts';
import { waitsInFull } from '../../kube/pod-warnings.ts';
import type { LinesWanted } from '../../kube/pod-lines.ts';
import type { World } from '../../io/world.ts';
import type { Settled, Usage } from '../contract.ts';
import { DeploymentLive, ServiceLive } from '../../kube/answers.ts';
import type { PodLive } from '../../kube/answers.ts';
import { lookAt, madeBy, usageOf } from '../../kube/made.ts';
import { templateContainers } from '../../kube/template-containers.ts';
import { podSelector, serviceName } from './manifests.ts';
import { optionsOf } from './options.ts';
import {
  expectImages,
  isRolledOut,
  oldPod,
  quotaFault,
  servingPod,
  startedAt,
  waitsFor,
} from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import { rolls } from './strategy.ts';

/** All marked Deployments of the namespace, whichever fleet they are of. */
export async function markedDeployments(world: World): Promise<Instance[]> {
  const place = await placeOf(world);
  const all = await listObjects(
    place,
    { apiVersion: 'apps/v1', kind: 'Deployment', labels: fleetLabel },
    DeploymentLive,
  );
  const found = await Promise.all(
    all.map(async (deployment) => {
      const mark = markOf(deployment);
      return mark && instanceOf(place, mark, await madeBy(place, deployment, namesOf(mark)));
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/** Null for a mark of another version of berth, which is left alone. */
export function markOf({ metadata }: DeploymentLive): Mark | null {
  return parseMark(metadata.annotations?.[markAnnotation]);
}

/** The Deployment of a mark with its pods; null when it is gone. */
export function look(place: Place, mark: Mark): Promise<Made | null> {
  return lookAt(place, namesOf(mark));
}

function namesOf(mark: Mark): { name: string; labels: string } {
  return { name: objectName(mark.deployment, mark.replica), labels: podsText(mark) };
}

/** How the server is asked for the pods of a replica. */
export function podsText(mark: Mark): string {
  const labels = podSelector(mark, optionsOf(mark));
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** The same object as was observed, with its pods; null when it is gone, though another may have its name. */
export async function lookAgain(place: Place, { mark, object }: Instance): Promise<Made | null> {
  const made = mark && (await look(place, mark));
  return made?.deployment.metadata.uid === object.id ? made : null;
}

export async function instanceOf(place: Place, mark: Mark, made: Made): Promise<Instance> {
  const { metadata, spec } = made.deployment;
  const reached = await reachedAt(place, mark, made);
  const alive = (spec.replicas ?? 1) > 0 && !metadata.deletionTimestamp;
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
    startedAt: startedAt(made),
    mark: reached ? { ...mark, reached } : mark,
  };
}

/** Where the pod that serves answers, be it one of before; null while none is ready. */
function reachedAt(place: Place, mark: Mark, made: Made): Promise<Reached | null> {
  return addressOf(place, mark, servingPod(made) ?? oldPod(made));
}

/** The address of a pod, or of the pod's node where its Service has a port there. */
async function addressOf(place: Place, mark: Mark, pod: PodLive | null): Promise<Reached | null> {
  const { podIP, hostIP } = pod?.status ?? {};
  if (!podIP) return null;
  const options = optionsOf(mark);
  if (options.service.type !== 'NodePort' || !hostIP) return { address: podIP, port: mark.port };
  const name = serviceName(mark, options);
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
  const answer = quotaFault(made);
  if (answer !== null) throw new BerthError('KUBE_QUOTA', { object: `a pod of ${mark.deployment}`, answer });
  expectImages(made, { deployment: mark.deployment, whose: 'its deployment' });
  const reached = await addressOf(place, mark, servingPod(made));
  if (reached && (isRolledOut(made) || rolls(mark.spec, optionsOf(mark)))) return reached;
  return waitsInFull(place, made);
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
  return usageOf(place, made, namesOf(instance.mark).labels);
}

/** The container of the engine, which one that was adopted has under a name of its own. */
export function engineContainer(made: Made | null): string {
  const found = made ? templateContainers(made.deployment) : [];
  return found.find(({ name }) => name === 'engine')?.name ?? found[0]?.name ?? 'engine';
}

/** Lines of its pod; nothing where there is none. */
export async function* logs(world: World, instance: Instance, how: LinesWanted): AsyncIterable<string> {
  const place = await placeOf(world);
  const made = await lookAgain(place, instance);
  yield* podLines(place, { made, container: engineContainer(made) }, how);
}
