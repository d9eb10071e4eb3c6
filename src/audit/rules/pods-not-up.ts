import { z } from 'zod';
import { conditionsOf } from '../../domain/audit/conditions.ts';
import type { KubeObject, Workload } from '../../domain/audit/kube-object.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import { isPodOf } from '../../domain/audit/model-pods.ts';
import { notReadySince, podStates } from '../../domain/audit/pod-states.ts';
import type { Found } from './contract.ts';

/** As long as a large image may take to come. */
const makingMs = 60 * 60_000;

const Waiting = z.object({ phase: z.literal('Pending') });

/** A pod that a node has taken, and whose containers have not been made for long: a volume, a Secret or a network that never comes. Pure. */
export function podNotMade(pod: KubeObject, at: string): Found | null {
  const making = podStates([pod]).find(({ waiting }) => waiting === 'ContainerCreating');
  const since = notReadySince(pod);
  if (!making || since === null || pod.metadata.deletionTimestamp) return null;
  if (!Waiting.safeParse(pod.status).success) return null;
  if (Date.parse(at) - Date.parse(since.at) < makingMs) return null;
  const { name } = pod.metadata;
  return {
    object: titleOf(pod),
    names: [name],
    message: `Its container ${making.container} is not made: its node waits for a volume, a network or an image.`,
    evidence: [`waiting: ContainerCreating since ${since.at}`],
    cure: 'See in its events what its node waits for.',
    commands: [`${kubectlFor(pod)} describe pod ${name}`],
  };
}

/** A Deployment that its controller has given up, where no pod of it is shown that could say why. Pure. */
export function givenUp(workload: Workload, pods: readonly KubeObject[]): Found | null {
  const { object } = workload;
  const given = conditionsOf(object).find(
    ({ type, status, reason }) =>
      type === 'Progressing' && status === 'False' && reason === 'ProgressDeadlineExceeded',
  );
  if (!given || pods.some((pod) => isPodOf(pod, workload))) return null;
  const { name } = object.metadata;
  return {
    object: titleOf(object),
    names: [name],
    message: 'Its pods have not come up in the time that it gives them.',
    evidence: [['ProgressDeadlineExceeded', given.message].filter(Boolean).join(': ')],
    cure: 'See what its pods wait for.',
    commands: [`${kubectlFor(object)} describe ${object.kind.toLowerCase()} ${name}`],
  };
}
