import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { markText } from '../../kube/mark-text.ts';
import { markAnnotation, writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { secretObject } from '../../kube/secret-object.ts';
import { writtenText } from '../../kube/written.ts';
import { manifestsOf, metaOf, secretName } from './manifests.ts';
import type { Placed } from './manifests.ts';
import type { KubernetesOptions } from './options.ts';

/** All objects of a mark but its Secret, without the mark. Pure. */
export function plainObjects(
  mark: Mark,
  options: KubernetesOptions,
  { sleeps = false }: { sleeps?: boolean } = {},
): KubeObject[] {
  return manifestsOf({ ...placed(mark), sleeps }, options);
}

/**
 * The same; the Deployment carries the mark, and all of them as they are sent. Without a namespace whoever sends them chooses;
 * `sleeps` for a server that is known to take `preStop.sleep`. Pure.
 */
export function markedObjects(
  mark: Mark,
  options: KubernetesOptions,
  { namespace = null, sleeps = false }: { namespace?: string | null; sleeps?: boolean } = {},
): KubeObject[] {
  const objects = plainObjects(mark, options, { sleeps });
  const own = { [markAnnotation]: markText(mark), [writtenAnnotation]: writtenText(objects) };
  return objects.map((object) => {
    const metadata = namespace === null ? object.metadata : { ...object.metadata, namespace };
    if (object.kind !== 'Deployment') return { ...object, metadata };
    return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...own } } };
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
