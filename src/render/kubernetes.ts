import { clusterRefuses, needsOf, objectsOf } from './cluster-objects.ts';
import { yamlOf } from './yaml.ts';
import { benchmarkFiles, benchmarkNeeds } from './benchmark-objects.ts';
import { gatewayNeeds, gatewayObjects } from './gateway-objects.ts';
import { namespaceFiles } from './namespace-objects.ts';
import type { RenderFormat } from './contract.ts';

/** One file for each deployment, for `kubectl apply -f`. */
export const kubernetesFormat = {
  kind: 'kubernetes',
  title: 'manifests of Kubernetes, a file for each deployment',
  place: 'cluster',
  // Whose rights they are is said with the namespace.
  benchmarks: true,
  gateway: (namespace) => (namespace === null ? 'it needs --namespace' : null),
  refuses: clusterRefuses,
  render: (input) => ({
    files: [
      ...namespaceFiles(input),
      ...objectsOf(input).map(({ name, objects }) => ({
        path: `${name}.yaml`,
        text: objects.map(yamlOf).join('---\n'),
      })),
      ...(input.gateway === null
        ? []
        : [{ path: 'berth-gateway.yaml', text: gatewayObjects(input).map(yamlOf).join('---\n') }]),
      ...benchmarkFiles(input),
    ],
    needs: [...needsOf(input), ...gatewayNeeds(input), ...benchmarkNeeds(input)],
  }),
} as const satisfies RenderFormat<'kubernetes'>;
