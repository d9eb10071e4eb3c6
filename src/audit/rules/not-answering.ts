import { logHint, stopCommand, subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';

export const notAnswering: Rule = {
  id: 'not-answering',
  severity: 'warning',
  finds: 'a server that runs and does not answer',
  why: 'It holds memory and serves nobody.',
  find: ({ hosts }) =>
    hosts.flatMap((host) =>
      host.servers
        .filter((server) => server.state === 'silent')
        .map((server) => ({
          ...subjectOf(server, host),
          message: 'It runs and does not answer.',
          evidence: [...server.evidence],
          cure: `See its log${logHint(server)}; if it stays so, end it: ${stopCommand(server)}`,
        })),
    ),
};
