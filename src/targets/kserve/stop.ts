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
 * show it as stopped. Resolves when its pods are gone. Throws KSERVE_STOP_UNKNOWN where KServe lets them run, KUBE_TRACKED.
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
  const until = world.clock.now() + graceMs + noticeMs;
  while (await isServed(place, instance)) {
    if (world.clock.now() > until) {
      await annotate(place, served.service, null);
      throw new BerthError('KSERVE_STOP_UNKNOWN', { service: metadata.name, annotation: stopAnnotation });
    }
    await world.clock.sleep(pollMs);
  }
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

async function isServed(place: Place, instance: Instance): Promise<boolean> {
  const served = await lookAgain(place, instance);
  if (!served) return false;
  const labels = podLabels(served.service.metadata.name);
  const pods = await listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive);
  return served.made !== null || pods.length > 0;
}

/** The UID keeps another service of that name from being changed. Other fields stay whose they are. */
async function annotate(place: Place, { metadata }: Live, value: 'true' | null): Promise<void> {
  const path = `${objectPath(serviceKind, place.namespace, metadata.name)}?fieldManager=berth-stop`;
  const body = { metadata: { uid: metadata.uid, annotations: { [stopAnnotation]: value } } };
  const contentType = 'application/merge-patch+json';
  await must(place, { method: 'PATCH', path, body, contentType, fine: [200] });
}
