import type { DefinedServer } from '../../domain/audit/observation.ts';
import { leavesOpen, usualPort } from '../../domain/audit/server-port.ts';
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
        const asked = askedPort(one.healthCheck ?? []);
        const port = portOf(one.starts);
        if (asked === null || port === null || asked === port) return [];
        return [
          {
            object: `container ${one.name}`,
            names: [one.name],
            message: `It listens on port ${port}, and its health check asks port ${asked}.`,
            evidence: [`health check: ${one.healthCheck?.join(' ')}`, `health: ${one.health ?? 'not told'}`],
            cure: `Start it with --health-cmd "curl -f http://localhost:${port}/health", or let it listen on ${asked} inside.`,
          },
        ];
      }),
    ),
};

function askedPort(words: readonly string[]): number | null {
  const port = /(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)/.exec(words.join(' '))?.[1];
  return port === undefined ? null : Number(port);
}

/** All its variables are seen, so that one that is told nothing listens where its engine does by default. */
function portOf({ engine, port, command }: DefinedServer): number | null {
  return port ?? (leavesOpen(command) ? null : usualPort(engine));
}
