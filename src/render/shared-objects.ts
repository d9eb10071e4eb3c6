import { BerthError } from '../domain/errors/berth-error.ts';
import type { KubeObject } from '../kube/object.ts';
import { runtimeKind } from '../targets/kserve/manifests.ts';

interface Owned {
  readonly name: string;
  readonly objects: readonly KubeObject[];
}

/** What several deployments write alike, such as the claim of a model that they share, stays with the first of them alone. Pure. */
export function sharedOnce(groups: readonly Owned[]): { name: string; objects: KubeObject[] }[] {
  const seen = new Set<string>();
  function isFirst(object: KubeObject): boolean {
    const key = keyOf(object);
    const first = !seen.has(key);
    seen.add(key);
    return first;
  }
  return groups.map(({ name, objects }) => ({ name, objects: objects.filter(isFirst) }));
}

/** A runtime of KServe that several deployments share is the same for all of them. Throws RUNTIME_CONTRADICTS. */
export function expectOneRuntime(groups: readonly Owned[]): void {
  const made = new Map<string, { by: string; text: string }>();
  for (const { name: by, objects } of groups)
    for (const object of objects.filter(({ kind }) => kind === runtimeKind.kind)) {
      const runtime = object.metadata.name;
      const text = JSON.stringify(object);
      const earlier = made.get(runtime);
      if (earlier && earlier.text !== text)
        throw new BerthError('RUNTIME_CONTRADICTS', { runtime, deployments: [earlier.by, by] });
      made.set(runtime, earlier ?? { by, text });
    }
}

/** What a cluster knows it by, within a namespace. */
export function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}
