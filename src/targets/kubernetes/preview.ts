import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { foresee, isSameMark } from '../../kube/foresee.ts';
import { namedBy, namedFindings } from '../../kube/named-objects.ts';
import { knowsSleep } from '../../kube/server-version.ts';
import type { StartRequest } from '../contract.ts';
import { adoptedIn } from './adopt.ts';
import { markedObjects } from './objects.ts';
import { look, markOf } from './observe.ts';
import type { KubernetesOptions } from './options.ts';
import { tryTakenOver } from './take-over.ts';

export async function preview(
  world: World,
  { mark }: StartRequest,
  options: KubernetesOptions,
): Promise<Finding[]> {
  const place = await placeOf(world);
  const made = await look(place, mark);
  const adopted = adoptedIn(made);
  const findings = await foresee(place, mark, {
    objects: markedObjects(mark, options, { sleeps: await knowsSleep(place) }),
    force: isSameMark(made && markOf(made.deployment), mark),
    makesNamespace: Boolean(world.cluster?.createNamespace),
    instead: (object) =>
      adopted && object.kind === 'Deployment' ? tryTakenOver(place, adopted, object) : null,
  });
  return [...findings, ...(await namedFindings(place, mark, namedBy(mark.spec, options)))];
}
