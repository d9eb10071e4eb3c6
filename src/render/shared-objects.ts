import type { KubeObject } from '../kube/object.ts';

interface Owned {
  readonly name: string;
  readonly objects: readonly KubeObject[];
}

/** What several deployments write alike, such as the claim of a model that they share, stays with the first of them alone. Pure. */
export function sharedOnce(groups: readonly Owned[]): { name: string; objects: KubeObject[] }[] {
  const seen = new Set<string>();
  return groups.map(({ name, objects }) => {
    const own = objects.filter((object) => !seen.has(keyOf(object)));
    for (const object of objects) seen.add(keyOf(object));
    return { name, objects: own };
  });
}

/** What a cluster knows it by, within a namespace. */
export function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}
