import { conditionsOf, modelComingMs } from '../../domain/audit/conditions.ts';
import type { Condition } from '../../domain/audit/conditions.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import type { Rule } from './contract.ts';

const kinds = ['InferenceService', 'LLMInferenceService'];

export const serviceNotReady: Rule = {
  id: 'service-not-ready',
  severity: 'warning',
  finds:
    'an InferenceService or LLMInferenceService that KServe says is not ready, or of which it has not known that for an hour',
  why: 'Whoever asks it gets no answer, and why shows in its conditions alone.',
  find: ({ at, objects }) =>
    objects.flatMap((object) => {
      if (!kinds.includes(object.kind) || isStopped(object)) return [];
      const conditions = conditionsOf(object);
      const ready = conditions.find(({ type }) => type === 'Ready');
      if (ready?.status !== 'False' && !(ready && isStuck(ready, at))) return [];
      const { name } = object.metadata;
      return {
        object: titleOf(object),
        names: [name],
        message:
          ready.status === 'False'
            ? 'KServe says that it is not ready.'
            : `KServe has not known whether it is ready since ${ready.lastTransitionTime}.`,
        evidence: conditions
          .filter(({ status }) => status === 'False' || status === ready.status)
          .map(textOf),
        cure: 'Put right what its conditions name, or remove it.',
        commands: [`${kubectlFor(object)} describe ${object.kind.toLowerCase()} ${name}`],
      };
    }),
};

function isStuck({ status, lastTransitionTime: since }: Condition, at: string): boolean {
  return status === 'Unknown' && Boolean(since) && Date.parse(at) - Date.parse(since ?? '') >= modelComingMs;
}

/** Somebody has stopped it on purpose. */
function isStopped({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['serving.kserve.io/stop'] === 'true';
}

function textOf({ type, reason, message }: Condition): string {
  const said = [reason, message].filter(Boolean).join(': ');
  return said === '' ? type : `${type}: ${said}`;
}
