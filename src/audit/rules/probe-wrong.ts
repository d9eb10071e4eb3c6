import { titleOf } from '../../domain/audit/kube-object.ts';
import { serverPort } from '../../domain/audit/server-port.ts';
import type { Rule } from './contract.ts';
import { faultOf, prefixOf } from './probe-fault.ts';

export const probeWrong: Rule = {
  id: 'probe-wrong',
  severity: 'critical',
  finds: 'a probe that asks a port or a path that the server does not have',
  why: 'The pod never becomes ready, or is killed again and again while all is well.',
  find: ({ pods }) =>
    pods.flatMap((pod) =>
      (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).flatMap((name) => {
        const reason = faultOf(pod, pod.container[name]);
        const { object } = pod.workload;
        if (reason === null) return [];
        return [
          {
            object: titleOf(object),
            names: [object.metadata.name],
            message: `Its ${name} cannot succeed: ${reason}.`,
            evidence: [
              `container ${pod.container.name}: ${name} ${JSON.stringify(pod.container[name]?.httpGet ?? pod.container[name]?.tcpSocket)}`,
            ],
            cure: `Ask ${prefixOf(pod)}/health on port ${serverPort(pod) ?? 'that it listens on'}.`,
          },
        ];
      }),
    ),
};
