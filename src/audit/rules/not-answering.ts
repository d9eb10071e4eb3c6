import { holdingOf } from '../../domain/audit/server-words.ts';
import { byItself, logHint, stopCommand, subjectOf } from '../../domain/audit/server-words.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** As long as a large model may take to load. */
const loadingMs = 10 * 60_000;

/** Engines that listen only once their model is loaded; others listen at once, and say that they load. */
const listenLate = ['vllm', 'sglang', 'tgi'];

export const notAnswering: Rule = {
  id: 'not-answering',
  severity: 'warning',
  finds: 'a server that runs and does not answer',
  why: 'It holds memory and serves nobody.',
  find: ({ at, hosts, fleet }) =>
    perHost(hosts, (host) =>
      host.servers
        .filter((server) => server.state === 'silent' && !stillLoads(server, at))
        .map((server) => ({
          ...subjectOf(server, host),
          ...(server.mark !== null && server.mark.fleet === fleet?.name
            ? { fix: { deployments: [server.mark.deployment], restart: true } }
            : {}),
          message: 'It runs and does not answer.',
          evidence: [...server.evidence],
          cost: holdingOf(server),
          cure: `See its log${logHint(server)}; if it stays so, end it: ${stopCommand(byItself(server, host.servers))}`,
        })),
    ),
};

function stillLoads({ engine, endpoints, startedAt }: ScannedServer, at: string): boolean {
  const young = Date.parse(at) - Date.parse(startedAt) < loadingMs;
  return young && endpoints.length === 0 && listenLate.includes(engine);
}
