import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Probe } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';

const least = 120;

export const startupShort: Rule = {
  id: 'startup-short',
  severity: 'warning',
  finds: `a liveness probe that kills a server that takes longer than ${least} s to load its model`,
  why: 'A large model, or a cold disk, and the pod never comes up.',
  find: ({ pods }) =>
    pods.flatMap(({ workload: { object }, container }) => {
      const { livenessProbe, startupProbe } = container;
      const seconds = budget(startupProbe ?? livenessProbe);
      if (seconds === null || seconds >= least) return [];
      return [
        {
          object: titleOf(object),
          names: [object.metadata.name],
          message: `It is killed when it has not loaded its model after ${seconds} s.`,
          evidence: [
            `container ${container.name}: ${startupProbe ? 'startupProbe' : 'livenessProbe'} ${JSON.stringify(startupProbe ?? livenessProbe)}`,
          ],
          cure: 'Give it a startupProbe with a budget that fits the model: failureThreshold 360 every 5 s are 30 minutes.',
        },
      ];
    }),
};

function budget(probe: Probe): number | null {
  if (!probe) return null;
  const { initialDelaySeconds, periodSeconds, failureThreshold } = probe;
  return (initialDelaySeconds ?? 0) + (periodSeconds ?? 10) * (failureThreshold ?? 3);
}
