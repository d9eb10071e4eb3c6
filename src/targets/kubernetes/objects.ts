import { secretFileText } from '../../domain/fill-args.ts';
import type { Mark } from '../../domain/instance.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { markAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { manifestsOf, metaOf, secretName } from './manifests.ts';
import type { Placed } from './manifests.ts';
import type { KubernetesOptions } from './options.ts';

/** All objects of a mark but its Secret; the Deployment carries the mark. Pure. */
export function markedObjects(mark: Mark, options: KubernetesOptions): KubeObject[] {
  const { reached: _reached, ...written } = mark;
  return manifestsOf(placed(mark), options).map((object) => {
    if (object.kind !== 'Deployment') return object;
    const annotations = { ...object.metadata.annotations, [markAnnotation]: JSON.stringify(written) };
    return { ...object, metadata: { ...object.metadata, annotations } };
  });
}

/** The Secret with the values, none where the engine has none. Never print what comes back. */
export async function secretOf(world: World, mark: Mark): Promise<KubeObject[]> {
  const { spec } = mark;
  const names = Object.entries(spec.secrets);
  if (names.length === 0) return [];
  const data: Record<string, string> = {};
  for (const [name, ref] of names) {
    const text = secretFileText(spec, name, await resolveSecret(world, ref));
    data[name] = Buffer.from(text, 'utf8').toString('base64');
  }
  const metadata = metaOf(placed(mark), secretName(mark));
  return [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }];
}

function placed(mark: Mark): Placed {
  const { fleet, fleetId, deployment, replica, port, spec } = mark;
  return { fleet, fleetId, deployment, replica, port, spec, namespace: null, pods: 1 };
}
