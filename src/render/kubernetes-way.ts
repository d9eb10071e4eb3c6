import { isAddress } from '../domain/model-source.ts';
import { entrypointOf, imageOf } from '../kube/launched.ts';
import { fetchRefuses } from '../targets/kubernetes/fetch.ts';
import { markedObjects } from '../targets/kubernetes/objects.ts';
import { KubernetesOptions, optionsOf as optionsOfMark } from '../targets/kubernetes/options.ts';
import { platformRefuses } from '../targets/kubernetes/platform.ts';
import type { ClusterWay } from './cluster-way.ts';
import type { RenderedDeployment } from './contract.ts';

function optionsOf({ target }: RenderedDeployment): KubernetesOptions {
  return target.kind === 'kubernetes'
    ? (target as unknown as KubernetesOptions)
    : KubernetesOptions.parse({ kind: 'kubernetes' });
}

function refuses(deployment: RenderedDeployment): string | null {
  const options = optionsOf(deployment);
  if (imageOf(deployment.spec, options) === null) return 'its engine has no image of its own';
  if (entrypointOf(deployment.spec, options) === null) return 'nobody says what to run in the image';
  for (const path of [deployment.spec.model, deployment.spec.mmproj])
    if (path !== null && isAddress(path) && !path.startsWith('pvc://'))
      return `nobody fetches ${path} there; say under models.NAME.at where the cluster has it`;
  return fetchRefuses(deployment.spec) ?? platformRefuses(deployment.spec, options);
}

/** A Deployment with its Service, and what stands beside them. */
export const kubernetesWay = {
  kind: 'kubernetes',
  optionsOf,
  refuses,
  objectsOf: (mark, namespace) => markedObjects(mark, optionsOfMark(mark), { namespace }),
  needsOf: () => [],
  // The first replica alone has labels and a Service by names of its own.
  canBeCounted: (deployment) => {
    const { selector, service } = optionsOf(deployment);
    return selector === undefined && service.name === undefined;
  },
} as const satisfies ClusterWay;
