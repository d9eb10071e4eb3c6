import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { PodLive } from '../../kube/answers.ts';
import { listObjects, must } from '../../kube/client.ts';
import type { Live, Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { endFindings } from '../../kube/foresee.ts';
import { objectPath } from '../../kube/kinds.ts';
import { objectName } from '../../kube/names.ts';
import { expectUntracked } from '../../kube/ownership.ts';
import type { MarkedPlace } from '../contract.ts';
import { serviceKind } from './manifests.ts';
import { lookAgain, podLabels } from './observe.ts';
import { stopAnnotation } from './stopped.ts';

const pollMs = 250;
/** Beyond the grace of its pods: what a controller takes to notice. */
const noticeMs = 60_000;

/**
 * Has a service stand still by its annotation: KServe takes its pods away and keeps the service, and other programs that know KServe
 * show it as stopped. Resolves when its pods are gone, which have as long as they themselves say: of Knative ten minutes, whatever
 * their engine needs. A stop that KServe has taken up is not undone. Throws KSERVE_STOP_UNKNOWN where it lets them run, NOT_ENDING
 * where they outstay their time, KUBE_TRACKED.
 */
export async function park(
  world: World,
  instance: Instance,
  { graceMs }: { graceMs: number },
): Promise<void> {
  const place = await placeOf(world);
  const served = await lookAgain(place, instance);
  if (!served) return;
  const { metadata } = served.service;
  expectUntracked(serviceKind.kind, served.service);
  await annotate(place, served.service, 'true');
  const since = world.clock.now();
  for (;;) {
    const left = await leftOf(place, instance);
    if (!left) return;
    const { pods } = left;
    const ending = pods.filter((pod) => pod.metadata.deletionTimestamp);
    // Of this moment alone: a rollout or a drained node ends all pods as well, and others come.
    const takenUp = !left.isMade || (pods.length > 0 && ending.length === pods.length);
    const allowedMs = Math.max(graceMs, ...ending.map(graceOf));
    if (world.clock.now() > since + (takenUp ? allowedMs : graceMs) + noticeMs) {
      if (takenUp) throw notEnding(metadata.name, pods, allowedMs);
      await annotate(place, served.service, null);
      throw new BerthError('KSERVE_STOP_UNKNOWN', { service: metadata.name, annotation: stopAnnotation });
    }
    await world.clock.sleep(pollMs);
  }
}

function graceOf({ spec }: PodLive): number {
  return (spec?.terminationGracePeriodSeconds ?? 0) * 1000;
}

function notEnding(service: string, pods: readonly PodLive[], allowedMs: number): BerthError {
  const [pod] = pods;
  return new BerthError('NOT_ENDING', {
    object: pod ? `pod ${pod.metadata.name}` : `inference service ${service}`,
    holds: `it had ${Math.round(allowedMs / 1000)} s to end what it does, and the service stays stopped`,
  });
}

/** Whether another program keeps the service that is to go or to stand still. */
export async function previewEnd(world: World, marked: MarkedPlace): Promise<Finding[]> {
  const name = objectName(marked.deployment, marked.replica);
  return endFindings(await placeOf(world), marked, { ...serviceKind, name });
}

/** Takes the annotation away, whoever put it there. */
export async function release(place: Place, service: Live): Promise<void> {
  await annotate(place, service, null);
}

/** Null once nothing of it runs. */
async function leftOf(
  place: Place,
  instance: Instance,
): Promise<{ readonly isMade: boolean; readonly pods: readonly PodLive[] } | null> {
  const served = await lookAgain(place, instance);
  if (!served) return null;
  const labels = podLabels(served.service.metadata.name);
  const pods = await listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive);
  const isMade = served.made !== null;
  return isMade || pods.length > 0 ? { isMade, pods } : null;
}

/** The UID keeps another service of that name from being changed. Other fields stay whose they are. */
async function annotate(place: Place, { metadata }: Live, value: 'true' | null): Promise<void> {
  const path = `${objectPath(serviceKind, place.namespace, metadata.name)}?fieldManager=berth-stop`;
  const body = { metadata: { uid: metadata.uid, annotations: { [stopAnnotation]: value } } };
  const contentType = 'application/merge-patch+json';
  await must(place, { method: 'PATCH', path, body, contentType, fine: [200] });
}
