import type { KubeObject } from '../kube/object.ts';
import { benchmarkFiles, benchmarkNeeds } from './benchmark-objects.ts';
import { needsOf, objectsOf } from './cluster-objects.ts';
import type { RenderedFile, RenderFormat, RenderInput } from './contract.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import { kserveWay } from './kserve-way.ts';
import { namespaceFiles } from './namespace-objects.ts';
import { yamlOf } from './yaml.ts';

/** One file for each deployment, whatever its target: its InferenceServices, one a replica, the runtimes that are made for them, and their marks. */
export const kserveFormat = {
  kind: 'kserve',
  title: 'InferenceServices of KServe with their runtimes, a file for each deployment',
  place: 'cluster',
  benchmarks: true,
  gateway: (namespace) => (namespace === null ? 'it needs --namespace' : null),
  refuses: kserveWay.refuses,
  render: (input) => ({
    files: filesOf(input),
    needs: [...needsOf(input, always), ...gatewayNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kserve'>;

function always(): typeof kserveWay {
  return kserveWay;
}

function filesOf(input: RenderInput): RenderedFile[] {
  const files = [
    ...namespaceFiles(input),
    ...objectsOf(input, always).map(({ name, objects }) => fileOf(name, objects)),
    ...(input.gateway === null ? [] : [fileOf('berth-gateway', gatewayObjects(input))]),
    ...benchmarkFiles(input),
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...(input.namespace === null ? {} : { namespace: input.namespace }),
    resources: files.map(({ path }) => path),
  };
  return [...files, { path: 'kustomization.yaml', text: yamlOf(kustomization), index: true }];
}

function fileOf(name: string, objects: readonly KubeObject[]): RenderedFile {
  return { path: `${name}.yaml`, text: objects.map(yamlOf).join('---\n') };
}
