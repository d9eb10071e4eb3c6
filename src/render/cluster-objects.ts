import { isAddress } from '../domain/model-source.ts';
import { isOfCluster, secretTitle } from '../domain/secret.ts';
import type { KubeObject } from '../kube/object.ts';
import { manifestsOf, secretName } from '../targets/kubernetes/manifests.ts';
import { KubernetesOptions } from '../targets/kubernetes/options.ts';
import { platformRefuses } from '../targets/kubernetes/platform.ts';
import { entrypointOf, imageOf } from '../kube/launched.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';

/** Where the file pins no port. */
const usualPort = 8080;

/** What the file says of another target means nothing to a cluster: then all is as usual. */
function optionsOf({ target }: RenderedDeployment): KubernetesOptions {
  return target.kind === 'kubernetes'
    ? (target as unknown as KubernetesOptions)
    : KubernetesOptions.parse({ kind: 'kubernetes' });
}

export function clusterRefuses(deployment: RenderedDeployment): string | null {
  const options = optionsOf(deployment);
  if (imageOf(deployment.spec, options) === null) return 'its engine has no image of its own';
  if (entrypointOf(deployment.spec, options) === null) return 'nobody says what to run in the image';
  for (const path of [deployment.spec.model, deployment.spec.mmproj])
    if (path !== null && isAddress(path) && !path.startsWith('pvc://')) return `nobody fetches ${path} there`;
  return platformRefuses(deployment.spec, options);
}

/** All objects of a deployment, one Deployment for all of its replicas. */
export function objectsOf(input: RenderInput, deployment: RenderedDeployment): KubeObject[] {
  const { fleet, fleetId, namespace } = input;
  return manifestsOf(
    {
      fleet,
      fleetId,
      namespace,
      deployment: deployment.name,
      replica: 0,
      port: deployment.port ?? usualPort,
      spec: deployment.spec,
      pods: deployment.replicas,
    },
    optionsOf(deployment),
  );
}

/** Secrets are never written: who applies the files makes them. */
export function needsOf({ deployments, namespace }: RenderInput): string[] {
  const place = namespace === null ? '' : ` -n ${namespace}`;
  return deployments.flatMap(({ name, spec }) => {
    const refs = Object.entries(spec.secrets);
    const parts = refs.flatMap(([key, ref]) =>
      isOfCluster(ref)
        ? []
        : [`--from-${'file' in ref ? `file=${key}=${ref.file}` : `literal=${key}="$${ref.env}"`}`],
    );
    const there = [...refs.map(([, ref]) => ref), spec.modelSecret ?? []].flat().filter(isOfCluster);
    const secret = secretName({ deployment: name, replica: 0 });
    return [
      ...(parts.length === 0
        ? []
        : [`${name} needs a Secret: kubectl create secret generic ${secret}${place} ${parts.join(' ')}`]),
      ...there.map((ref) => `${name} needs what the cluster must have: ${secretTitle(ref)}.`),
    ];
  });
}
