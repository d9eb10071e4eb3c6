import { sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import { judgeService } from '../../domain/audit/services.ts';
import { removeObject } from '../../domain/audit/kube-words.ts';
import type { Rule } from './contract.ts';

export const orphanService: Rule = {
  id: 'orphan-service',
  severity: 'warning',
  finds: 'a Service of Kubernetes that selects no workload and has no endpoints',
  why: 'Its name answers nothing, and its port is taken for nothing.',
  find: ({ objects, workloads }) =>
    objects
      .filter((object) => object.kind === 'Service')
      .flatMap((service) => {
        const verdict = judgeService(service, objects, workloads);
        if (verdict?.kind !== 'orphan') return [];
        const { namespace, name } = service.metadata;
        const near = workloads.filter((one) => sameNamespace(one.object, service));
        return [
          {
            object: titleOf(service),
            names: [name],
            message: 'It selects nothing that exists.',
            evidence: [
              `selector ${JSON.stringify(verdict.selector)}`,
              'no endpoints',
              `workloads in ${namespace ?? 'default'}: ${near.map((one) => one.object.metadata.name).join(', ') || 'none'}`,
            ],
            cure: 'Remove it once you know that nobody makes its pods by hand; its definition is kept.',
            commands: removeObject('service', service),
          },
        ];
      }),
};
