import { wrongCheck } from '../../domain/audit/health-check.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const healthCheckPort: Rule = {
  id: 'health-check-port',
  severity: 'warning',
  finds:
    'a container whose health check asks another port than its server has, as that of the images of llama.cpp does for all but 8080',
  why: 'The container counts as unhealthy for ever, and what waits for it waits.',
  find: ({ hosts }) =>
    perHost(hosts, ({ containers }) =>
      containers.flatMap((one) => {
        const wrong = wrongCheck(one);
        if (!wrong) return [];
        const { asked, port } = wrong;
        return [
          {
            object: `container ${one.name}`,
            names: [one.name],
            message: `It listens on port ${port}, and its health check asks port ${asked}.`,
            evidence: [`health: ${one.health ?? 'not told'}`],
            cure: `Start it with --health-cmd "curl -f http://localhost:${port}/health", or let it listen on ${asked} inside.`,
          },
        ];
      }),
    ),
};
