import type { KubeObject } from '../kube/object.ts';
import { clusterRefuses, needsOf, objectsOf } from './cluster-objects.ts';
import { yamlOf } from './yaml.ts';
import { benchmarkNeeds, benchmarkObjects } from './benchmark-objects.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import type { RenderedFile, RenderFormat, RenderInput } from './contract.ts';

/** A base with a file for each object, to lay overlays over. */
export const kustomizeFormat = {
  kind: 'kustomize',
  title: 'a base for kustomize, a file for each object',
  place: 'cluster',
  benchmarks: true,
  gateway: () => null,
  refuses: clusterRefuses,
  render: (input) => ({
    files: filesOf(input),
    needs: [...needsOf(input), ...gatewayNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kustomize'>;

function filesOf(input: RenderInput): RenderedFile[] {
  // Where the base names a namespace, its objects need not.
  const anywhere = { ...input, namespace: null };
  const objects = [
    ...objectsOf(anywhere).flatMap((one) => one.objects),
    ...gatewayObjects(anywhere),
    ...benchmarkObjects(anywhere),
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...(input.namespace === null ? {} : { namespace: input.namespace }),
    resources: objects.map(fileName),
  };
  return [
    { path: 'base/kustomization.yaml', text: yamlOf(kustomization) },
    ...objects.map((object) => ({ path: `base/${fileName(object)}`, text: yamlOf(object) })),
  ];
}

function fileName({ kind, metadata }: KubeObject): string {
  return `${kind.toLowerCase()}-${metadata.name}.yaml`;
}
