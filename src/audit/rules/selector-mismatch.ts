import { titleOf } from '../../domain/audit/kube-object.ts';
import { judgeService } from '../../domain/audit/services.ts';
import type { Rule } from './contract.ts';

export const selectorMismatch: Rule = {
  id: 'selector-mismatch',
  severity: 'critical',
  finds: 'a Service whose selector misses the labels of the workload that it is meant for',
  why: 'The model runs, and nobody reaches it.',
  find: ({ objects, workloads }) =>
    objects
      .filter((object) => object.kind === 'Service')
      .flatMap((service) => {
        const verdict = judgeService(service, objects, workloads);
        if (verdict?.kind !== 'mismatch') return [];
        const { selector, near } = verdict;
        const wrong = Object.entries(selector).filter(([name, value]) => near.labels[name] !== value);
        return [
          {
            object: titleOf(service),
            names: [service.metadata.name],
            message: `It selects no pod of ${titleOf(near.object)}.`,
            evidence: wrong.map(
              ([name, value]) => `selector ${name}: ${value}, label ${near.labels[name] ?? '(not set)'}`,
            ),
            cure: 'Make the selector as the labels of the template are.',
          },
        ];
      }),
};
