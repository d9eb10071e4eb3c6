import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const slotsDiffer: Rule = {
  id: 'slots-differ',
  severity: 'warning',
  finds: 'a server that answers fewer or more requests at once than the fleet file says',
  why: 'The gateway sends as many requests at once as the file says: the rest wait in the engine, unseen.',
  find: ({ hosts, fleet }) =>
    perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        if (server.mark === null || server.mark.fleet !== fleet?.name) return [];
        const wanted = fleet.deployments.find((one) => one.name === server.mark?.deployment)?.options[
          'slots'
        ];
        const has = server.told.slots;
        if (typeof wanted !== 'number' || has === null || has === wanted) return [];
        return [
          {
            ...subjectOf(server, host),
            message: `It has ${has} slots, and the fleet file says ${wanted}.`,
            evidence: [`total_slots ${has}`, `engine.slots ${wanted}`],
            cure: `"berth apply --restart ${server.mark.deployment}" starts it as the file says.`,
            fix: { deployments: [server.mark.deployment], restart: true },
            commands: [`berth apply --restart ${server.mark.deployment}`],
          },
        ];
      }),
    ),
};
