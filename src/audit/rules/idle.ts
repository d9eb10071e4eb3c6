import { formatAge, formatBytes } from '../../domain/format.ts';
import { holdingOf, stopCommand, subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

const week = 7 * 86_400_000;

export const idle: Rule = {
  id: 'idle',
  severity: 'info',
  finds: 'a server that has run for a week or longer and has read and written no token',
  why: 'It holds memory for nobody.',
  find: ({ at, hosts }) =>
    perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const age = Date.parse(at) - Date.parse(server.startedAt);
        if (server.told.tokens !== 0 || age < week) return [];
        return [
          {
            ...subjectOf(server, host),
            message: `It has answered nothing since it started, ${formatAge(age)} ago.`,
            evidence: ['Its own counters: 0 tokens read, 0 written.', `Started at ${server.startedAt}.`],
            cost: holdingOf(server),
            cure: `Let its first request start it ("load: on-demand"), or end it; it holds ${formatBytes(server.rssBytes)}.`,
            commands: [stopCommand(server)],
          },
        ];
      }),
    ),
};
