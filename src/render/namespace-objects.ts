import { namespaceObjects } from '../kube/new-namespace.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RenderInput } from './contract.ts';
import { yamlOf } from './yaml.ts';
import type { RenderedFile } from './contract.ts';

type Placed = Pick<RenderInput, 'namespace' | 'newNamespace'>;

/** Every cluster has it. */
const always = 'default';

/** The namespace as an apply would make it, and what stands in it before all else; none where it has to be there. Pure. */
export function newNamespaceObjects(input: Placed): KubeObject[] {
  const { namespace, newNamespace } = input;
  if (namespace === null || newNamespace === null || namespace === always) return [];
  const made = namespaceObjects(namespace, newNamespace);
  return [made.namespace, ...inside(input).map((object) => placed(object, namespace))];
}

/** What stands in it alone, for a tool that makes namespaces by itself and says which. Pure. */
export function insideNewNamespace(input: Placed): KubeObject[] {
  return input.namespace === null || input.namespace === always ? [] : inside(input);
}

function inside({ newNamespace }: Placed): KubeObject[] {
  return newNamespace === null ? [] : namespaceObjects('', newNamespace).inside;
}

function placed(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** The same as a file that comes before those of all deployments, since whoever applies a folder goes by names. */
export function namespaceFiles(input: Placed): RenderedFile[] {
  const objects = newNamespaceObjects(input);
  return objects.length === 0 ? [] : [{ path: '00-namespace.yaml', text: objects.map(yamlOf).join('---\n') }];
}
