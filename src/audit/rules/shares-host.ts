import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const sharesHost: Rule = {
  id: 'shares-host',
  severity: 'warning',
  finds:
    'a container or pod in the process or network namespace of its machine (hostPID, hostNetwork), or a pod in that of its shared memory (hostIPC)',
  why: 'It sees every process of the machine, or takes its ports: tools that count processes then count twice.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, ({ containers }) =>
      containers
        .map((one) => ({ one, shared: one.shares.filter((name) => name !== 'ipc') }))
        .filter(({ shared }) => shared.length > 0)
        .map(({ one, shared }) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `It shares the ${shared.join(' and ')} namespace of its machine.`,
          evidence: shared.map((name) => `${name} mode host`),
          cure: 'Publish its port instead (-p 127.0.0.1:PORT:PORT), and leave out --pid host.',
        })),
    ),
    ...pods.flatMap(({ workload: { object, pod } }) => {
      const shared = (['hostPID', 'hostNetwork', 'hostIPC'] as const).filter((name) => pod[name]);
      if (shared.length === 0) return [];
      return [
        {
          object: titleOf(object),
          names: [object.metadata.name],
          message: `Its pods share what belongs to their node: ${shared.join(', ')}.`,
          evidence: shared.map((name) => `${name}: true`),
          cure: 'Take it out of the template; a Service reaches the port without it.',
        },
      ];
    }),
  ],
};
