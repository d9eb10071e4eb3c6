import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { markAnnotation, writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { secretObject } from '../../kube/secret-object.ts';
import { writtenText } from '../../kube/written.ts';
import { manifestsOf, metaOf, secretName } from './manifests.ts';
import type { Placed } from './manifests.ts';
import type { KubernetesOptions } from './options.ts';

/** All objects of a mark but its Secret, without the mark. Pure. */
export function plainObjects(mark: Mark, options: KubernetesOptions): KubeObject[] {
  return manifestsOf(placed(mark), options);
}

/** The same; the Deployment carries the mark, and all of them as they are sent. Pure. */
export function markedObjects(mark: Mark, options: KubernetesOptions): KubeObject[] {
  const { reached: _reached, ...kept } = mark;
  const objects = plainObjects(mark, options);
  const own = { [markAnnotation]: JSON.stringify(kept), [writtenAnnotation]: writtenText(objects) };
  return objects.map((object) => {
    if (object.kind !== 'Deployment') return object;
    const annotations = { ...object.metadata.annotations, ...own };
    return { ...object, metadata: { ...object.metadata, annotations } };
  });
}

/** The Secret with the values. Never print what comes back. */
export function secretOf(world: World, mark: Mark): Promise<KubeObject[]> {
  return secretObject(world, mark.spec, metaOf(placed(mark), secretName(mark)));
}

function placed(mark: Mark): Placed {
  const { fleet, fleetId, deployment, replica, port, spec, secrets } = mark;
  return { fleet, fleetId, deployment, replica, port, spec, secrets, namespace: null, pods: 1 };
}
