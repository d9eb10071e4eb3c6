import type { KubeObject } from '../../domain/audit/kube-object.ts';
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
        ({ server, container, workload: { object, pod, partial } }) =>
          server.engine === 'vllm' &&
          !partial &&
          pod.enableServiceLinks !== false &&
          !container.env?.some(({ name }) => name === 'VLLM_PORT') &&
          objects.some(
            (one) =>
              one.kind === 'Service' &&
              one.metadata.name === 'vllm' &&
              sameNamespace(one, object) &&
              hasAddress(one),
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

/** Only a Service with an address of its own makes variables. */
function hasAddress({ spec }: KubeObject): boolean {
  return spec?.['clusterIP'] !== 'None' && spec?.['type'] !== 'ExternalName';
}
