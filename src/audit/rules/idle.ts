import type { Use } from '../../domain/audit/activity.ts';
import { formatAge, formatBytes } from '../../domain/format.ts';
import { stopCommands } from '../../domain/audit/stop-commands.ts';
import { holdingOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const idle: Rule = {
  id: 'idle',
  severity: 'info',
  finds:
    'a server whose counters have stood still for a week or longer (`audit.idle`, `--idle`), from its start or from look to look',
  why: 'It holds memory for nobody.',
  find: (view) => {
    const { at, hosts, uses, idleMs } = view;
    return perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const { pid } = server.process;
        const use = uses.find((one) => one.host === host.host && one.pid === pid) ?? neverUsed(server);
        if (!use) return [];
        const age = Date.parse(at) - Date.parse(use.since);
        if (age < idleMs) return [];
        return [
          {
            ...subjectOf(server, host),
            message:
              use.count === 0
                ? `It has answered nothing since it started, ${formatAge(age)} ago.`
                : `It has answered nothing for ${formatAge(age)}.`,
            evidence: [countText(use), `Started at ${server.startedAt}.`],
            cost: holdingOf(server),
            cure: `Let its first request start it ("load: on-demand"), or end it; it holds ${formatBytes(server.rssBytes)}.`,
            commands: stopCommands(server, view),
          },
        ];
      }),
    );
  },
};

/** What its counters alone say, without an earlier look. */
function neverUsed({ told, startedAt }: ScannedServer): Pick<Use, 'by' | 'count' | 'since'> | null {
  return told.tokens === 0 ? { by: 'engine', count: 0, since: startedAt } : null;
}

function countText({ by, count, since }: Pick<Use, 'by' | 'count' | 'since'>): string {
  return by === 'engine'
    ? `Its own counters stand at ${count} tokens, read and written, since ${since}.`
    : `The gateway has passed ${count} requests to it, and none since ${since}.`;
}
