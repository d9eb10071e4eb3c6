import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const privileged: Rule = {
  id: 'privileged',
  severity: 'warning',
  finds: 'a privileged container',
  why: 'Whoever breaks into the server owns the machine. A GPU needs no such rights.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, ({ containers }) =>
      containers
        .filter((one) => one.privileged)
        .map((one) => found(`container ${one.name}`, one.name, one.name)),
    ),
    ...pods
      .filter(({ container }) => container.securityContext?.privileged)
      .map(({ workload, container }) =>
        found(titleOf(workload.object), workload.object.metadata.name, container.name),
      ),
  ],
};

function found(object: string, name: string, container: string): Found {
  return {
    object,
    names: [name],
    message: 'It runs privileged.',
    evidence: [`container ${container}: privileged true`],
    cure: 'Give it the devices that it needs and nothing else (--gpus, --device, nvidia.com/gpu).',
  };
}
