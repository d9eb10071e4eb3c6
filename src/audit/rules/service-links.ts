import { sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';

export const serviceLinks: Rule = {
  id: 'service-links',
  severity: 'critical',
  finds: 'a vLLM in the namespace of a Service named `vllm`, with service links on',
  why: 'Kubernetes then sets VLLM_PORT to an address, which vLLM reads as its port, and dies.',
  find: ({ pods, objects }) =>
    pods
      .filter(
        ({ server, workload: { object, pod } }) =>
          server.engine === 'vllm' &&
          pod.enableServiceLinks !== false &&
          objects.some(
            (one) => one.kind === 'Service' && one.metadata.name === 'vllm' && sameNamespace(one, object),
          ),
      )
      .map(({ workload: { object } }) => ({
        object: titleOf(object),
        names: [object.metadata.name],
        message: 'The Service vllm of its namespace sets VLLM_PORT for it.',
        evidence: ['Service vllm', 'enableServiceLinks is not false'],
        cure: 'Set enableServiceLinks: false in the template, or give the Service another name.',
      })),
};
