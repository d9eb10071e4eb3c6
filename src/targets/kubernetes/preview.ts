import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { endFindings, foresee, isSameMark } from '../../kube/foresee.ts';
import { givenObjects, tryFiles } from '../../kube/given-files.ts';
import { namedBy, namedFindings } from '../../kube/named-objects.ts';
import { objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { knowsSleep } from '../../kube/server-version.ts';
import type { MarkedPlace, StartRequest } from '../contract.ts';
import { adoptedIn } from './adopt.ts';
import { kept } from './kept.ts';
import { markedObjects } from './objects.ts';
import { look, markOf } from './observe.ts';
import { rolls } from './strategy.ts';
import type { KubernetesOptions } from './options.ts';
import { tryTakenOver } from './take-over.ts';

function isDeployment({ kind }: KubeObject): boolean {
  return kind === 'Deployment';
}

export async function preview(
  world: World,
  { mark }: StartRequest,
  options: KubernetesOptions,
): Promise<Finding[]> {
  const place = await placeOf(world);
  const made = await look(place, mark);
  const adopted = adoptedIn(made);
  const objects = markedObjects(mark, options, { sleeps: await knowsSleep(place) });
  const given = await givenObjects(world, place, mark);
  // While a change rolls, the Deployment is written otherwise for a time.
  const rolling = made && !adopted && rolls(mark.spec, options) ? objects.filter(isDeployment).map(kept) : [];
  const findings = await foresee(place, mark, {
    objects: [...given, ...objects, ...rolling],
    force: isSameMark(made && markOf(made.deployment), mark),
    makesNamespace: Boolean(world.cluster?.createNamespace),
    instead: (object) =>
      adopted && object.kind === 'Deployment'
        ? tryTakenOver(place, adopted, object)
        : tryFiles(place, object),
  });
  return [...findings, ...(await namedFindings(place, mark, namedBy(mark.spec, options)))];
}

/** Whether another program keeps the Deployment that is to go. */
export async function previewEnd(world: World, marked: MarkedPlace): Promise<Finding[]> {
  const name = objectName(marked.deployment, marked.replica);
  return endFindings(await placeOf(world), marked, { apiVersion: 'apps/v1', kind: 'Deployment', name });
}
