import type { World } from '../../io/world.ts';
import { DeploymentLive } from '../../kube/answers.ts';
import { applyObject, getObject } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { dropFilesBut } from '../../kube/given-files.ts';
import { objectName, ranAnnotation, ranManager } from '../../kube/names.ts';
import { otherOwner } from '../../kube/ownership.ts';
import type { MarkedPlace } from '../contract.ts';
import { markOf } from './observe.ts';
import { deploymentKind } from './take-over.ts';

/** What was kept on the Deployment of a replica; null where there is none of this fleet. */
export async function readRecord(world: World, mark: MarkedPlace): Promise<string | null> {
  const live = await ownDeployment(await placeOf(world), mark);
  return live?.metadata.annotations?.[ranAnnotation] ?? null;
}

/**
 * Keeps a text on the Deployment of a replica, where it makes no new pods. The field has an owner of its own: what is applied later
 * leaves it there. Files that nothing of it is given any more go. Nothing where there is no Deployment.
 */
export async function keepRecord(world: World, mark: MarkedPlace, text: string): Promise<void> {
  const place = await placeOf(world);
  const live = await ownDeployment(place, mark);
  if (!live) return;
  const { name, uid } = live.metadata;
  const metadata = { name, uid, annotations: { [ranAnnotation]: text } };
  await applyObject(place, { ...deploymentKind, metadata }, { manager: ranManager, force: true });
  const before = live.metadata.annotations?.[ranAnnotation] ?? null;
  await dropFilesBut(place, mark, { now: markOf(live), before, ran: text });
}

/** Takes it from one that is given back to whoever made it. */
export async function dropRecord(place: Place, { metadata }: DeploymentLive): Promise<void> {
  if (metadata.annotations?.[ranAnnotation] === undefined) return;
  const { name, uid } = metadata;
  await applyObject(place, { ...deploymentKind, metadata: { name, uid } }, { manager: ranManager });
}

async function ownDeployment(place: Place, mark: MarkedPlace): Promise<DeploymentLive | null> {
  const name = objectName(mark.deployment, mark.replica);
  const live = await getObject(place, { ...deploymentKind, name }, DeploymentLive);
  return live && otherOwner(live, mark) === null ? live : null;
}
