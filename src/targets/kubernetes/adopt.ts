import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { DeploymentLive } from '../../kube/answers.ts';
import { applyObject, getObject } from '../../kube/client.ts';
import type { Live } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { markText } from '../../kube/mark-text.ts';
import {
  adoptedAnnotation,
  fleetIdLabel,
  fleetLabel,
  markAnnotation,
  writtenAnnotation,
} from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { otherOwner, trackerOf } from '../../kube/ownership.ts';
import type { Made } from '../../kube/state.ts';
import { goneAlready } from '../../kube/wait-gone.ts';
import { writtenText } from '../../kube/written.ts';
import type { World } from '../../io/world.ts';
import type { Foreign } from '../contract.ts';
import { adoptedServices, endService, serveAdopted } from './adopted-service.ts';
import { dropRecord } from './record.ts';
import { deploymentKind, handOn } from './take-over.ts';

/** Somebody else made it, and berth has changed nothing of it but its marks. */
export function isAdopted({ metadata }: Pick<Live, 'metadata'>): boolean {
  return metadata.annotations?.[adoptedAnnotation] !== undefined;
}

/** What berth has adopted and not changed yet; null: nothing is there, or it is as berth has written it. */
export function adoptedIn(made: Made | null): DeploymentLive | null {
  return made && isAdopted(made.deployment) ? made.deployment : null;
}

/**
 * Puts the mark on a Deployment, beside what its owners have set, and makes a Service of berth's to its pods, of which nothing
 * changes. Gives its definition. Throws KUBE_CONFLICT where somebody else has set a label of berth's, KUBE_TRACKED,
 * KUBE_NAME_TAKEN.
 */
export async function adopt(world: World, { workload }: Foreign, mark: Mark): Promise<string | null> {
  const place = await placeOf(world);
  const name = workload?.name ?? mark.deployment;
  const live = await getObject(place, { ...deploymentKind, name }, DeploymentLive);
  if (!live || live.metadata.uid !== workload?.uid) throw goneAlready(`Deployment ${name}`);
  const by = trackerOf(live);
  if (by !== null) throw new BerthError('KUBE_TRACKED', { object: `Deployment ${name}`, by });
  const whose = live.metadata.labels?.[fleetLabel] === undefined ? null : otherOwner(live, mark);
  if (whose !== null)
    throw new BerthError('KUBE_NAME_TAKEN', { object: `Deployment ${name}`, deployment: name, whose });
  const labels = { [fleetLabel]: mark.fleet, [fleetIdLabel]: mark.fleetId };
  // What is found there now is what drift is told against.
  const found: KubeObject = { ...deploymentKind, metadata: { name, labels }, spec: live.spec };
  const annotations = {
    [markAnnotation]: markText(mark),
    [writtenAnnotation]: writtenText([found, ...adoptedServices(mark)]),
    [adoptedAnnotation]: world.clock.wall().toISOString(),
  };
  const undo = await serveAdopted(place, mark);
  try {
    const metadata = { name, uid: live.metadata.uid, labels, annotations };
    await applyObject(place, { ...deploymentKind, metadata });
  } catch (error) {
    await undo();
    throw error;
  }
  return JSON.stringify(definitionOf(live), null, 2);
}

/** Takes the mark and berth's Service away and leaves it running; false where it is as berth has written it by now. */
export async function disown(world: World, { object, mark }: Instance): Promise<boolean> {
  const place = await placeOf(world);
  const name = object.name.replace(/^deployment /, '');
  const live = await getObject(place, { ...deploymentKind, name }, DeploymentLive);
  if (live?.metadata.uid !== object.id || !isAdopted(live)) return false;
  await handOn(place, live);
  // Who applies nothing keeps nothing.
  await applyObject(place, { ...deploymentKind, metadata: { name, uid: object.id } });
  await dropRecord(place, live);
  if (mark) await endService(place, mark);
  return true;
}

/** What makes another one like it, without what the cluster has written. */
function definitionOf({ metadata, spec }: DeploymentLive): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const { 'deployment.kubernetes.io/revision': _revision, ...stated } = annotations ?? {};
  const meta = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { ...deploymentKind, metadata: { ...meta, labels: labels ?? {}, annotations: stated }, spec };
}
