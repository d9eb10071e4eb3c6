import type { z } from 'zod';
import type { Instance, Mark, Reached } from '../../domain/instance.ts';
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
import { isRolledOut, servingPod, startedAt, waitsFor } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import type { Settled, Usage } from '../contract.ts';
import { enginePort } from './engine-container.ts';
import { isKnative } from './knative-spec.ts';
import { lookAtRevisions, revisionLabel } from './knative.ts';
import type { Revisions } from './knative.ts';
import { knativeWaits, settledRevision } from './knative-waits.ts';
import { manifestsOf, serviceKind } from './manifests.ts';
import { allMarks, markOf } from './marks.ts';
import { optionsOf } from './options.ts';
import { expectStartable } from './startable.ts';
import { isStopped, stopAnnotation } from './stopped.ts';
import { isGiven, isRestarted, isTakenOver } from './taken-over.ts';

export const ServiceLive = ConditionsLive;
export type ServiceLive = z.infer<typeof ServiceLive>;

/** A service with what KServe has made of it. */
export interface Served {
  readonly service: ServiceLive;
  /** Its Deployment, with Knative that of the newest revision; null: not yet. */
  readonly made: Made | null;
  /** Null where a plain Deployment runs it. */
  readonly revisions: Revisions | null;
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
  if (!service) return null;
  const revisions = isKnative(optionsOf(mark)) ? await lookAtRevisions(place, name) : null;
  return { service, made: revisions ? revisions.made : await lookAt(place, deploymentOf(name)), revisions };
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

export function instanceOf(mark: Mark, served: Served): Instance {
  const { service, made } = served;
  const { metadata } = service;
  const stopped = isStopped(service);
  const reached = reachedOf(served);
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return {
    host: 'local',
    object: { target: 'kserve', id: metadata.uid, name: `inference service ${metadata.name}` },
    alive: !stopped && !metadata.deletionTimestamp,
    trouble: stopped ? stoppedText : troubleOf(served),
    ...(stopped ? { parked: true as const } : {}),
    process: null,
    engine: mark.spec.engine,
    model: mark.spec.model,
    owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
    endpoints: reached ? [{ address: reached.address, port: mark.port, netns: 'cluster' }] : [],
    rssBytes: null,
    startedAt: made ? startedAt(made) : Number.isNaN(created) ? null : new Date(created).toISOString(),
    mark: reached ? { ...mark, reached } : mark,
  };
}

/** The pod that serves; with Knative one of the revision before, until the newest one is ready. */
function reachedOf({ made, revisions }: Served): Reached | null {
  for (const one of [made, revisions?.before ?? null]) {
    const address = one && servingPod(one)?.status?.podIP;
    if (address) return { address, port: enginePort(one.deployment) };
  }
  return null;
}

function troubleOf({ service, made, revisions }: Served): string | null {
  if (revisions?.knative) return knativeWaits(revisions.knative, made);
  return made ? waitsFor(made) : refusalOf(service);
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
  if (isStopped(served.service)) return { waits: stoppedText };
  const { made, revisions } = served;
  if (revisions) {
    const { knative } = revisions;
    if (!knative || !isGiven(knative, served.service)) return { waits: refusalOf(served.service) };
    return settledRevision(place, mark, { knative, made });
  }
  if (!made) return { waits: refusalOf(served.service) };
  const sent = manifestsOf(mark, optionsOf(mark));
  if (!isTakenOver(made.deployment, sent) || !isRestarted(made.deployment, served.service))
    return { waits: 'waits for KServe' };
  expectStartable(made, mark);
  const address = servingPod(made)?.status?.podIP;
  if (address && isRolledOut(made)) return { address, port: enginePort(made.deployment) };
  return waitsInFull(place, made);
}

/** False too once another pod serves in place of the one that was seen. */
export async function isAlive(world: World, instance: Instance): Promise<boolean> {
  const served = await lookAgain(await placeOf(world), instance);
  if (!served || !instance.mark || !instanceOf(instance.mark, served).alive) return false;
  const before = instance.mark.reached?.address;
  const now = reachedOf(served)?.address;
  return !before || !now || before === now;
}

export async function usage(world: World, instance: Instance): Promise<Usage> {
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  if (!served?.made) return { memoryBytes: null, cpuSeconds: null, restarts: null };
  const { name } = served.service.metadata;
  const newest = served.revisions?.knative?.status?.latestCreatedRevisionName;
  return usageOf(place, served.made, newest ? revisionLabel(newest) : podLabels(name));
}

export async function* logs(world: World, instance: Instance, how: LinesWanted): AsyncIterable<string> {
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  yield* podLines(place, { made: served?.made ?? null, container: 'kserve-container' }, how);
}
