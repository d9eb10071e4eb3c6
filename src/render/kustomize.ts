import type { KubeObject } from '../kube/object.ts';
import { clusterRefuses, needsOf, objectsOf } from './cluster-objects.ts';
import { benchmarkNeeds, benchmarkObjects } from './benchmark-objects.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import type { RenderedFile, RenderFormat, RenderInput } from './contract.ts';
import { kustomizeTree } from './kustomize-tree.ts';
import { newNamespaceObjects } from './namespace-objects.ts';

/** A base with the engines, components that an overlay may leave out, and an overlay of all of them. */
export const kustomizeFormat = {
  kind: 'kustomize',
  title: 'a base for kustomize with components and an overlay, a file for each object',
  place: 'cluster',
  benchmarks: true,
  gateway: () => null,
  refuses: clusterRefuses,
  render: (input) => ({
    files: filesOf(input),
    needs: [...needsOf(input), ...gatewayNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kustomize'>;

/** What of an engine's objects not every cluster has, or wants: by its kind. */
const beside: ReadonlyMap<string, 'ingress' | 'monitoring' | 'autoscale'> = new Map([
  ['Ingress', 'ingress'],
  ['HTTPRoute', 'ingress'],
  ['ServiceMonitor', 'monitoring'],
  ['PodMonitor', 'monitoring'],
  ['HorizontalPodAutoscaler', 'autoscale'],
  ['ScaledObject', 'autoscale'],
] as const);

function filesOf(input: RenderInput): RenderedFile[] {
  // Where the overlay names a namespace, its objects need not.
  const anywhere = { ...input, namespace: null };
  const engines = objectsOf(anywhere).flatMap((one) => one.objects);
  function besides(name: string): { name: string; objects: readonly KubeObject[] } {
    return { name, objects: engines.filter(({ kind }) => beside.get(kind) === name) };
  }
  return kustomizeTree(
    engines.filter(({ kind }) => !beside.has(kind)),
    [
      { name: 'namespace', objects: newNamespaceObjects(input) },
      ...['ingress', 'monitoring', 'autoscale'].map(besides),
      { name: 'gateway', objects: gatewayObjects(anywhere) },
      { name: 'benchmarks', objects: benchmarkObjects(anywhere) },
    ],
    input.namespace,
  );
}
