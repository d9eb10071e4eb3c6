import type { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { ConditionsLive } from '../../kube/answers.ts';
import { getObject } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { lookAt, usageOf } from '../../kube/made.ts';
import { objectName } from '../../kube/names.ts';
import { podLines } from '../../kube/pod-lines.ts';
import { waitsInFull } from '../../kube/pod-warnings.ts';
import type { LinesWanted } from '../../kube/pod-lines.ts';
import { expectImages, isRolledOut, quotaFault, servingPod, startedAt, waitsFor } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import type { Settled, Usage } from '../contract.ts';
import { enginePort } from './engine-container.ts';
import { manifestsOf, serviceKind } from './manifests.ts';
import { allMarks, markOf } from './marks.ts';
import { optionsOf } from './options.ts';
import { isStopped, stopAnnotation } from './stopped.ts';
import { isTakenOver } from './taken-over.ts';

export const ServiceLive = ConditionsLive;
export type ServiceLive = z.infer<typeof ServiceLive>;

/** A service with the Deployment that KServe has made of it; null: not yet. */
export interface Served {
  readonly service: ServiceLive;
  readonly made: Made | null;
}

export async function markedServices(world: World): Promise<Instance[]> {
  const place = await placeOf(world);
  const marks = await allMarks(place);
  const found = await Promise.all(
    marks.map(async (one) => {
      const served = await look(place, one.mark);
      // A service may have a mark of an earlier version too.
      return served && markOf(marks, served.service) === one ? instanceOf(one.mark, served) : null;
    }),
  );
  return found.flatMap((one) => one ?? []);
}

export async function look(place: Place, mark: Mark): Promise<Served | null> {
  const name = objectName(mark.deployment, mark.replica);
  const service = await getObject(place, { ...serviceKind, name }, ServiceLive);
  return service && { service, made: await lookAt(place, deploymentOf(name)) };
}

/** What KServe calls what it makes. */
function deploymentOf(name: string): { name: string; labels: string } {
  return { name: `${name}-predictor`, labels: podLabels(name) };
}

export function podLabels(name: string): string {
  return `serving.kserve.io/inferenceservice=${name}`;
}

/** The same object as was observed; null when it is gone. */
export async function lookAgain(place: Place, { mark, object }: Instance): Promise<Served | null> {
  const served = mark && (await look(place, mark));
  return served?.service.metadata.uid === object.id ? served : null;
}

export function instanceOf(mark: Mark, { service, made }: Served): Instance {
  const { metadata } = service;
  const stopped = isStopped(service);
  const address = made && servingPod(made)?.status?.podIP;
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return {
    host: 'local',
    object: { target: 'kserve', id: metadata.uid, name: `inference service ${metadata.name}` },
    alive: !stopped && !metadata.deletionTimestamp,
    trouble: stopped ? stoppedText : made ? waitsFor(made) : refusalOf(service),
    ...(stopped ? { parked: true as const } : {}),
    process: null,
    engine: mark.spec.engine,
    model: mark.spec.model,
    owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
    endpoints: address ? [{ address, port: mark.port, netns: 'cluster' }] : [],
    rssBytes: null,
    startedAt: made ? startedAt(made) : Number.isNaN(created) ? null : new Date(created).toISOString(),
    mark: address ? { ...mark, reached: { address, port: enginePort(made.deployment) } } : mark,
  };
}

const stoppedText = `is stopped by ${stopAnnotation}`;

/** What KServe says while there is nothing of it yet. */
function refusalOf({ status }: ServiceLive): string {
  const said = status?.conditions?.find((one) => one.status === 'False' && one.message);
  return said ? `is not made by KServe: ${said.message?.replace(/\.$/, '')}` : 'waits for KServe';
}

/** Throws IMAGE_MISSING once the node has given up on its image. */
export async function settled(world: World, instance: Instance): Promise<Settled> {
  const { mark } = instance;
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  if (!served || !mark) return { waits: 'is gone' };
  const { made } = served;
  if (isStopped(served.service)) return { waits: stoppedText };
  if (!made) return { waits: refusalOf(served.service) };
  if (!isTakenOver(made.deployment, manifestsOf(mark, optionsOf(mark)))) return { waits: 'waits for KServe' };
  const answer = quotaFault(made);
  if (answer !== null) throw new BerthError('KUBE_QUOTA', { object: `a pod of ${mark.deployment}`, answer });
  expectImages(made, { deployment: mark.deployment, whose: 'its runtime' });
  const address = servingPod(made)?.status?.podIP;
  if (address && isRolledOut(made)) return { address, port: enginePort(made.deployment) };
  return waitsInFull(place, made);
}

/** False too once another pod serves in place of the one that was seen. */
export async function isAlive(world: World, instance: Instance): Promise<boolean> {
  const served = await lookAgain(await placeOf(world), instance);
  if (!served || !instance.mark || !instanceOf(instance.mark, served).alive) return false;
  const before = instance.mark.reached?.address;
  const now = served.made && servingPod(served.made)?.status?.podIP;
  return !before || !now || before === now;
}

export async function usage(world: World, instance: Instance): Promise<Usage> {
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  if (!served?.made) return { memoryBytes: null, cpuSeconds: null, restarts: null };
  return usageOf(place, served.made, podLabels(served.service.metadata.name));
}

export async function* logs(world: World, instance: Instance, how: LinesWanted): AsyncIterable<string> {
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  yield* podLines(place, { made: served?.made ?? null, container: 'kserve-container' }, how);
}
