import { namespaceObjects } from '../kube/new-namespace.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RenderedFile, RenderInput } from './contract.ts';
import { yamlOf } from './yaml.ts';

type Placed = Pick<RenderInput, 'namespace' | 'newNamespace'>;

/** Every cluster has it. */
const always = 'default';

/** Null where the namespace has to be there. */
function made({ namespace, newNamespace }: Placed): ReturnType<typeof namespaceObjects> | null {
  if (namespace === null || newNamespace === null || namespace === always) return null;
  return namespaceObjects(namespace, newNamespace);
}

/** The namespace as an apply would make it, and what stands in it before all else; none where it has to be there. Pure. */
export function newNamespaceObjects(input: Placed): KubeObject[] {
  const found = made(input);
  if (!found) return [];
  const { namespace, inside } = found;
  const { name } = namespace.metadata;
  return [namespace, ...inside.map((one) => ({ ...one, metadata: { ...one.metadata, namespace: name } }))];
}

/** What stands in it alone, for a tool that makes namespaces by itself and says which. Pure. */
export function insideNewNamespace(input: Placed): KubeObject[] {
  return made(input)?.inside ?? [];
}

/** The same as a file that comes before those of all deployments, since whoever applies a folder goes by names. */
export function namespaceFiles(input: Placed): RenderedFile[] {
  const objects = newNamespaceObjects(input);
  return objects.length === 0 ? [] : [{ path: '00-namespace.yaml', text: objects.map(yamlOf).join('---\n') }];
}
