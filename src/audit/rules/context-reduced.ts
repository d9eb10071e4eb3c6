import type { ScannedServer } from '../../domain/scan-report.ts';
import type { ObservedFleet } from '../../domain/audit/observation.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const contextReduced: Rule = {
  id: 'context-reduced',
  severity: 'warning',
  finds: 'a server whose slots hold fewer tokens than was asked for',
  why: 'The context of a llama-server is divided by its slots, and it may reduce what does not fit: long prompts fail.',
  find: ({ hosts, fleet }) =>
    perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const asked = askedOf(server, fleet);
        const has = server.told.context;
        if (asked === null || has === null || has >= asked) return [];
        return [
          {
            ...subjectOf(server, host),
            message: `Each of its slots holds ${has} tokens; ${asked} were asked for.`,
            evidence: [
              `It tells n_ctx ${has}${server.told.slots === null ? '' : ` and ${server.told.slots} slots`}.`,
            ],
            cure: 'Give it memory for what was asked, fewer slots, or a smaller cache type; or ask for less.',
          },
        ];
      }),
    ),
};

/** What the fleet file wants of it, else what its command line says. */
function askedOf({ mark, options, engine }: ScannedServer, fleet: ObservedFleet | null): number | null {
  const wanted =
    mark?.fleet === fleet?.name ? fleet?.deployments.find((one) => one.name === mark?.deployment) : undefined;
  const context =
    wanted?.options['context'] ??
    (options['slots'] === undefined && engine === 'llama.cpp' ? undefined : options['context']);
  return typeof context === 'number' && context > 0 ? context : null;
}
