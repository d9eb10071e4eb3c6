import { isAddress } from '../domain/model-source.ts';
import { isOfCluster, secretTitle } from '../domain/secret.ts';
import { fetchRefuses } from '../targets/kubernetes/fetch.ts';
import { platformRefuses } from '../targets/kubernetes/platform.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { entrypointOf, imageOf } from '../kube/launched.ts';
import { fleetIdLabel, fleetLabel, selectorOf } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { secretName } from '../targets/kubernetes/manifests.ts';
import { markedObjects } from '../targets/kubernetes/objects.ts';
import { KubernetesOptions } from '../targets/kubernetes/options.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';
import { marksOf } from './replica-marks.ts';
import { shellText } from './secret-shell.ts';
import { sharedOnce } from './shared-objects.ts';

/** What the file says of another target means nothing to a cluster: then all is as usual. */
export function optionsOf({ target }: RenderedDeployment): KubernetesOptions {
  return target.kind === 'kubernetes'
    ? (target as unknown as KubernetesOptions)
    : KubernetesOptions.parse({ kind: 'kubernetes' });
}

export function clusterRefuses(deployment: RenderedDeployment): string | null {
  const options = optionsOf(deployment);
  if (imageOf(deployment.spec, options) === null) return 'its engine has no image of its own';
  if (entrypointOf(deployment.spec, options) === null) return 'nobody says what to run in the image';
  for (const path of [deployment.spec.model, deployment.spec.mmproj])
    if (path !== null && isAddress(path) && !path.startsWith('pvc://'))
      return `nobody fetches ${path} there; say under models.NAME.at where the cluster has it`;
  return fetchRefuses(deployment.spec) ?? platformRefuses(deployment.spec, options);
}

/** All objects of each deployment, what they share with the first of them; those of `apply` with their marks: what is applied from files is known for the fleet's own. */
export function objectsOf(input: RenderInput): { name: string; objects: KubeObject[] }[] {
  const replicas = marksOf(input, optionsOf);
  return sharedOnce(
    input.deployments.map(({ name }) => ({
      name,
      objects: replicas
        .filter(({ mark }) => mark.deployment === name)
        .flatMap(({ mark, options }) => markedObjects(mark, options, { namespace: input.namespace })),
    })),
  );
}

/** Those of the first replica, or of one that it is changed into: it has the same port, since each pod has an address of its own. */
export function objectsOfReplica(
  input: RenderInput,
  name: string,
  change: (mark: Mark) => Mark,
): KubeObject[] {
  const [first] = marksOf(input, optionsOf).filter(({ mark }) => mark.deployment === name);
  return first ? markedObjects(change(first.mark), first.options, { namespace: input.namespace }) : [];
}

/** Secrets are never written: who applies the files makes them. */
export function needsOf({ deployments, fleet, fleetId, namespace }: RenderInput): string[] {
  return deployments.flatMap(({ name, replicas, spec }) => {
    const refs = Object.entries(spec.secrets);
    const own = refs.filter(([, ref]) => !isOfCluster(ref)).map(([key]) => key);
    const texts = Object.fromEntries(own.map((key) => [key, secretText(spec, key)]));
    const there = [...refs.map(([, ref]) => ref), spec.modelSecret ?? []].flat().filter(isOfCluster);
    const made = Array.from({ length: own.length === 0 ? 0 : replicas }, (_, replica) => {
      const meta = {
        name: secretName({ deployment: name, replica }),
        ...(namespace === null ? {} : { namespace }),
        labels: { ...selectorOf(name, replica), [fleetLabel]: fleet, [fleetIdLabel]: fleetId },
      };
      return `${name} needs a Secret: ${secretCommands(meta, texts)}`;
    });
    return [...made, ...there.map((ref) => `${name} needs what the cluster must have: ${secretTitle(ref)}.`)];
  });
}

/** As a shell writes it within double quotes. Some programs read theirs as a line of YAML. */
function secretText({ secrets, secretKeys }: LaunchSpec, name: string): string {
  const ref = secrets[name];
  const value = ref === undefined ? '' : shellText(ref);
  const key = secretKeys?.[name];
  return key === undefined ? value : `${key}: \\"${value}\\"`;
}
