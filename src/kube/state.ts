import { BerthError } from '../domain/errors/berth-error.ts';
import type { Ending } from '../domain/instance.ts';
import type { Live } from './client.ts';
import type { DeploymentLive, PodLive } from './answers.ts';
import { preparationEnding, preparationText, preparing } from './init-containers.ts';

/** A Deployment with what it has made: all its ReplicaSets, and their pods. */
export interface Made {
  readonly deployment: DeploymentLive;
  readonly replicaSets: readonly Live[];
  readonly pods: readonly PodLive[];
}

const revision = 'deployment.kubernetes.io/revision';

/** Pods of what the Deployment says now, newest first; those of before are on their way out. */
export function podsOf({ deployment, replicaSets, pods }: Made): PodLive[] {
  const { uid, annotations } = deployment.metadata;
  const own = replicaSets.filter((one) => one.metadata.ownerReferences?.some((owner) => owner.uid === uid));
  const now = own.find((one) => one.metadata.annotations?.[revision] === annotations?.[revision]);
  if (!now) return [];
  return pods
    .filter((one) => one.metadata.ownerReferences?.some((owner) => owner.uid === now.metadata.uid))
    .toSorted((a, b) =>
      (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
    );
}

/** The pod that serves; null before the cluster has taken up the Deployment as it is now, and while no pod of it is ready. */
export function servingPod(made: Made): PodLive | null {
  return isTakenUp(made.deployment) ? (readyPods(made)[0] ?? null) : null;
}

/** Pods of what the Deployment says now that serve. */
export function readyPods(made: Made): PodLive[] {
  return podsOf(made).filter((pod) => !pod.metadata.deletionTimestamp && isReady(pod));
}

/** While a new pod is not ready: the one of before that serves yet. */
export function oldPod(made: Made): PodLive | null {
  const sets = new Set(
    made.replicaSets
      .filter(({ metadata }) =>
        metadata.ownerReferences?.some(({ uid }) => uid === made.deployment.metadata.uid),
      )
      .map(({ metadata }) => metadata.uid),
  );
  const own = made.pods.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => sets.has(uid)));
  return own.find((pod) => !pod.metadata.deletionTimestamp && isReady(pod)) ?? null;
}

/** Since when its engine runs, which may have been started again in a pod that is older; null: nobody says. */
export function startedAt(made: Made): string | null {
  const [pod] = podsOf(made);
  const text =
    pod?.status?.containerStatuses?.[0]?.state?.running?.startedAt ??
    pod?.status?.startTime ??
    made.deployment.metadata.creationTimestamp;
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** True once the cluster has seen the latest change and all pods are of it. */
export function isRolledOut({ deployment }: Made): boolean {
  const wanted = deployment.spec.replicas ?? 1;
  const { updatedReplicas, availableReplicas, replicas } = deployment.status ?? {};
  return (
    isTakenUp(deployment) &&
    (updatedReplicas ?? 0) >= wanted &&
    (availableReplicas ?? 0) >= wanted &&
    (replicas ?? 0) <= (updatedReplicas ?? 0)
  );
}

function isTakenUp({ metadata, status }: DeploymentLive): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isReady({ status }: PodLive): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

export const beingStarted = 'is being started by its node';

/** What it waits for, in the cluster's own words, as the end of a sentence; null when nothing is known to be missing. */
export function waitsFor(made: Made): string | null {
  const failed = made.deployment.status?.conditions?.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  const [pod] = podsOf(made);
  if (!pod) return failed ? `gets no pod: ${plain(failed.message)}` : 'has no pod yet';
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return `finds no node: ${plain(scheduled.message)}`;
  if (pod.status?.phase === 'Failed') return `has failed: ${plain(pod.status.message ?? pod.status.reason)}`;
  const before = preparing(pod);
  if (before) return preparationText(before);
  const [container] = pod.status?.containerStatuses ?? [];
  const { waiting, running } = container?.state ?? {};
  if (waiting?.reason === 'CrashLoopBackOff') return endedHow(endingOf(made));
  if (waiting && waiting.reason !== 'ContainerCreating' && waiting.reason !== 'PodInitializing')
    return `waits in its pod: ${waiting.reason ?? 'no reason'}${waiting.message ? `: ${plain(waiting.message)}` : ''}`;
  if (running && !isReady(pod)) return 'is not ready by its probe yet';
  return isReady(pod) ? null : beingStarted;
}

/** Whether its node prepares it, or its engine runs; null where it waits for anything else. */
export function stageOf(made: Made): 'prepares' | 'runs' | null {
  const [pod] = podsOf(made);
  // Before a change is taken up the pods are those of before.
  if (!pod || !isTakenUp(made.deployment)) return null;
  const first = preparing(pod);
  if (first) return first.state?.running ? 'prepares' : null;
  return pod.status?.containerStatuses?.[0]?.state?.running ? 'runs' : null;
}

/** Why the quota will never let a pod of it in, as it is: what it takes is not stated. Null where that may change by itself. */
export function quotaFault({ deployment }: Made): string | null {
  const failed = deployment.status?.conditions?.find(
    ({ type, status, message }) =>
      type === 'ReplicaFailure' && status === 'True' && /failed quota/.test(message ?? ''),
  );
  return failed ? plain(failed.message) : null;
}

const imageReasons = ['ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];

/** Throws IMAGE_MISSING where an image will not come; `whose` is what it is of, where the cluster does not name it. */
export function expectImages(made: Made, { deployment, whose }: { deployment: string; whose: string }): void {
  const fault = imageFault(made);
  if (!fault) return;
  const { image, reason } = fault;
  throw new BerthError('IMAGE_MISSING', {
    deployment,
    image: image ?? `of ${whose}`,
    reason,
    program: 'crictl',
  });
}

/** Which image will not come, and why; null while all may. A first failure is tried again by the node. */
export function imageFault(made: Made): { image: string | null; reason: string } | null {
  const [pod] = podsOf(made);
  const { initContainerStatuses, containerStatuses } = pod?.status ?? {};
  const all = [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])];
  const one = all.find(({ state }) => imageReasons.includes(state?.waiting?.reason ?? ''));
  if (!one) return null;
  const { message, reason } = one.state?.waiting ?? {};
  return { image: one.image ?? null, reason: plain(message ?? reason) };
}

/** How often the containers of each pod have been started again: by the pod's uid its engine, by `initKey` what prepares it. */
export function countsOf(made: Made): ReadonlyMap<string, number> {
  return new Map(
    podsOf(made).flatMap((pod) => [
      [pod.metadata.uid, restartCount(pod)] as const,
      ...(pod.status?.initContainerStatuses ?? []).map(
        ({ name, restartCount }) => [initKey(pod, name), restartCount ?? 0] as const,
      ),
    ]),
  );
}

function initKey({ metadata }: PodLive, container: string): string {
  return `${metadata.uid} ${container}`;
}

function restartCount({ status }: PodLive): number {
  return status?.containerStatuses?.reduce((sum, one) => sum + (one.restartCount ?? 0), 0) ?? 0;
}

/** How its engine, or what prepares its pod, ended the last time, where it did beyond those counts. */
export function endingOf(made: Made, since: ReadonlyMap<string, number> = new Map()): Ending | null {
  if (!isTakenUp(made.deployment)) return null;
  for (const pod of podsOf(made)) {
    // The cluster itself takes it away, for another or to have fewer.
    if (pod.metadata.deletionTimestamp) continue;
    const first = preparing(pod);
    if (first) {
      const failed = preparationEnding(first, since.get(initKey(pod, first.name)) ?? 0);
      if (failed) return failed;
      continue;
    }
    const [container] = pod.status?.containerStatuses ?? [];
    const before = since.get(pod.metadata.uid);
    const again = before === undefined || restartCount(pod) > before || container?.state?.terminated;
    if (!again) continue;
    const ended = container?.state?.terminated ?? container?.lastState?.terminated;
    if (ended)
      return {
        code: ended.exitCode ?? null,
        signal: null,
        outOfMemory: ended.reason === 'OOMKilled',
      };
  }
  return null;
}

export function restartsOf(made: Made): number {
  const [pod] = podsOf(made);
  return pod ? restartCount(pod) : 0;
}

function endedHow(ending: Ending | null): string {
  return ending?.outOfMemory
    ? 'took more memory than it may and was killed'
    : `ended with code ${ending?.code ?? 'unknown'} and is started again`;
}

function plain(text: string | null | undefined): string {
  return (text ?? 'the cluster gives no reason').trim().replace(/\.$/, '');
}
