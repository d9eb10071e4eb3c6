import { z } from 'zod';
import { conditionsOf, modelComingMs } from '../../domain/audit/conditions.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import { notReadySince, podStates } from '../../domain/audit/pod-states.ts';
import type { Found } from './contract.ts';

const Running = z.object({ phase: z.literal('Running') });

/**
 * A pod that runs, is not started again, and has not been ready for so long that no load explains it: nothing else tells of it.
 * Null for every other, and for one that is taken away. Pure.
 */
export function podNotReady(pod: KubeObject, at: string): Found | null {
  const ready = conditionsOf(pod).find(({ type }) => type === 'Ready');
  const since = notReadySince(pod);
  if (ready?.status !== 'False' || since === null) return null;
  if (!Running.safeParse(pod.status).success || pod.metadata.deletionTimestamp) return null;
  const states = podStates([pod]);
  const silent = states.filter(
    (one) => one.running && !one.ready && one.waiting === null && one.restarts === 0,
  );
  // What crashes or waits is told by rules of its own.
  if (silent.length === 0 || states.some((one) => one.waiting !== null)) return null;
  if (Date.parse(at) - Date.parse(since.at) < modelComingMs) return null;
  const { name } = pod.metadata;
  const names = silent.map(({ container }) => container).join(', ');
  return {
    object: titleOf(pod),
    names: [name],
    message: since.told
      ? `It runs and has not been ready since ${since.at}: container ${names}.`
      : `It runs and is not ready, and nothing shows that it was since its node took it at ${since.at}: container ${names}.`,
    evidence: [
      since.told ? `Ready False since ${since.at}` : `Ready False, startTime ${since.at}`,
      ready.reason ?? '',
      ready.message ?? '',
    ].filter((line) => line !== ''),
    cure: 'See what its readiness probe is answered, and what its log says.',
    commands: [
      `${kubectlFor(pod)} describe pod ${name}`,
      `${kubectlFor(pod)} logs ${name} -c ${silent[0]?.container ?? ''} --tail 100`,
    ],
  };
}
