import { titleOf } from '../../domain/audit/kube-object.ts';
import { deadPorts } from '../../domain/audit/target-ports.ts';
import type { Rule } from './contract.ts';

export const targetPort: Rule = {
  id: 'target-port',
  severity: 'critical',
  finds: 'a Service whose `targetPort` none of the containers that it selects has, by name or by number',
  why: 'The model runs, and who asks for it by its Service is refused.',
  find: (view) =>
    view.objects
      .filter((object) => object.kind === 'Service')
      .flatMap((service) => {
        const { dead, of } = deadPorts(service, view) ?? { dead: [], of: 0 };
        const [first] = dead;
        if (!first) return [];
        return [
          {
            object: titleOf(service),
            names: [service.metadata.name],
            // Through another port its server is reached.
            ...(dead.length < of ? { severity: 'warning' as const } : {}),
            message: `Its port ${first.port} leads to ${first.target}, which no container of its pods has.`,
            evidence: [
              ...dead.map(({ port, target }) => `port ${port}: targetPort ${target}`),
              `ports of its containers: ${first.declared.join(', ') || 'none declared'}`,
            ],
            cure: 'Name the port that the server listens on.',
          },
        ];
      }),
};
