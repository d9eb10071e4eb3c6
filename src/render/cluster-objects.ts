import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster, isOfHere, secretTitle } from '../domain/secret.ts';
import { filesObject } from '../kube/given-files.ts';
import { fleetIdLabel, fleetLabel, selectorOf } from '../kube/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretCommands } from '../kube/secret-commands.ts';
import { secretName } from '../targets/kubernetes/manifests.ts';
import type { ClusterWay } from './cluster-way.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';
import { kserveWay } from './kserve-way.ts';
import { kubernetesWay } from './kubernetes-way.ts';
import { marksOf } from './replica-marks.ts';
import { shellText } from './secret-shell.ts';
import { expectOneRuntime, sharedOnce } from './shared-objects.ts';

type WayOf = (deployment: RenderedDeployment) => ClusterWay;

const clusterWays: readonly ClusterWay[] = [kubernetesWay, kserveWay];

/** As its target says; what the file has elsewhere than in a cluster is meant for a Deployment. */
export function wayOf({ target }: RenderedDeployment): ClusterWay {
  return clusterWays.find(({ kind }) => kind === target.kind) ?? kubernetesWay;
}

export function clusterRefuses(deployment: RenderedDeployment): string | null {
  return wayOf(deployment).refuses(deployment);
}

/**
 * All objects of each deployment, what they share with the first of them; those of `apply` with their marks: what is applied from files is
 * known for the fleet's own. Throws RUNTIME_CONTRADICTS.
 */
export function objectsOf(input: RenderInput, by: WayOf = wayOf): { name: string; objects: KubeObject[] }[] {
  const groups = input.deployments.map((deployment) => {
    const way = by(deployment);
    const marks = marksOf({ ...input, deployments: [deployment] }, way.optionsOf);
    const objects = marks.flatMap(({ mark }) => objectsOfMark(input, deployment, mark, way));
    return { name: deployment.name, objects };
  });
  expectOneRuntime(groups);
  return sharedOnce(groups);
}

/** Those of the first replica, or of one that it is changed into: it has the same port, since each pod has an address of its own. */
export function objectsOfReplica(
  input: RenderInput,
  deployment: RenderedDeployment,
  change: (mark: Mark) => Mark,
): KubeObject[] {
  const way = wayOf(deployment);
  const [first] = marksOf({ ...input, deployments: [deployment] }, way.optionsOf);
  return first ? objectsOfMark(input, deployment, change(first.mark), way) : [];
}

/** What its pods are given comes before them. */
function objectsOfMark(
  { namespace }: Pick<RenderInput, 'namespace'>,
  { files }: RenderedDeployment,
  ...[mark, way]: [Mark, ClusterWay]
): KubeObject[] {
  return [...filesObject(mark, files, namespace), ...way.objectsOf(mark, namespace)];
}

/** What has to be there beside the files. Secrets are never written: who applies the files makes them. */
export function needsOf(input: RenderInput, by: WayOf = wayOf): string[] {
  return input.deployments.flatMap((deployment) => [
    ...secretNeeds(deployment, input),
    ...by(deployment).needsOf(deployment, input),
  ]);
}

function secretNeeds(
  { name, replicas, spec }: RenderedDeployment,
  { fleet, fleetId, namespace }: RenderInput,
): string[] {
  const refs = Object.entries(spec.secrets);
  const own = refs.filter(([, ref]) => isOfHere(ref)).map(([key]) => key);
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
}

/** As a shell writes it within double quotes. Some programs read theirs as a line of YAML. */
function secretText({ secrets, secretKeys }: LaunchSpec, name: string): string {
  const ref = secrets[name];
  const value = ref === undefined ? '' : shellText(ref);
  const key = secretKeys?.[name];
  return key === undefined ? value : `${key}: \\"${value}\\"`;
}
