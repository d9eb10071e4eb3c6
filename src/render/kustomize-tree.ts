import type { KubeObject } from '../kube/object.ts';
import type { RenderedFile } from './contract.ts';
import { yamlOf } from './yaml.ts';

/** Objects that an overlay may leave out as a whole. */
export interface Component {
  readonly name: string;
  readonly objects: readonly KubeObject[];
}

/** A base, its components, and an overlay of all of them. Pure. */
export function kustomizeTree(
  base: readonly KubeObject[],
  components: readonly Component[],
  namespace: string | null,
): RenderedFile[] {
  const place = namespace === null ? {} : { namespace };
  const parts = components.filter(({ objects }) => objects.length > 0);
  const whole = {
    ...kustomization,
    ...place,
    ...(base.length === 0 ? {} : { resources: ['../../base'] }),
    ...(parts.length === 0 ? {} : { components: parts.map(({ name }) => `../../components/${name}`) }),
  };
  return [
    ...(base.length === 0 ? [] : folderOf('base', base, { ...kustomization, ...place })),
    ...parts.flatMap(({ name, objects }) => folderOf(`components/${name}`, objects, component)),
    ...(base.length + parts.length === 0 ? [] : [indexOf('overlays/all', whole)]),
  ];
}

const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
const component = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' };

function folderOf(folder: string, objects: readonly KubeObject[], head: object): RenderedFile[] {
  return [
    indexOf(folder, { ...head, resources: objects.map(fileName) }),
    ...objects.map((object) => ({ path: `${folder}/${fileName(object)}`, text: yamlOf(object) })),
  ];
}

function indexOf(folder: string, content: object): RenderedFile {
  return { path: `${folder}/kustomization.yaml`, text: yamlOf(content), index: true };
}

function fileName({ kind, metadata }: KubeObject): string {
  return `${kind.toLowerCase()}-${metadata.name}.yaml`;
}
