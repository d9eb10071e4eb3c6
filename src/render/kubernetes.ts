import { clusterRefuses, needsOf, objectsOf, yamlOf } from './cluster-objects.ts';
import type { RenderFormat } from './contract.ts';

/** One file for each deployment, for `kubectl apply -f`. */
export const kubernetesFormat = {
  kind: 'kubernetes',
  title: 'manifests of Kubernetes, a file for each deployment',
  refuses: clusterRefuses,
  render: (input) => ({
    files: input.deployments.map((deployment) => ({
      path: `${deployment.name}.yaml`,
      text: objectsOf(input, deployment).map(yamlOf).join('---\n'),
    })),
    needs: needsOf(input),
  }),
} as const satisfies RenderFormat<'kubernetes'>;
