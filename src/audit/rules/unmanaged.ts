import type { ObservedFleet, ObservedHost } from '../../domain/audit/observation.ts';
import { deploymentOf } from '../../domain/audit/deployment-of.ts';
import { ownerName, placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const unmanaged: Rule = {
  id: 'unmanaged',
  severity: 'info',
  finds: 'a server that somebody started by hand, or that is not in the fleet file at hand',
  why: 'What was started by hand ends with its session or at a reboot, and no file says how it was started.',
  find: (view) =>
    perHost(view.hosts, (host) =>
      host.servers.flatMap((server) =>
        // What the fleet reaches, or runs as a pod whose mark its maker has, the file has too.
        deploymentOf(server, host.host, view) === null ? judge(server, host, view.fleet) : [],
      ),
    ),
};

function judge(server: ScannedServer, host: ObservedHost, fleet: ObservedFleet | null): Found[] {
  if (server.mark !== null) return [];
  const byHand = server.owner.kind === 'session' || server.owner.kind === 'unknown';
  if (!byHand && fleet === null) return [];
  return [
    {
      ...subjectOf(server, host),
      severity: byHand && fleet !== null ? 'warning' : 'info',
      message: byHand
        ? 'It was started by hand: nothing starts it again, and no file says how it was started.'
        : `It runs beside the fleet ${fleet?.name}, which does not know it.`,
      evidence: [`${ownerName(server)}, on ${placeOf(server)}, since ${server.startedAt}.`],
      cure:
        fleet === null
          ? '"berth adopt" writes it into a fleet file, without a restart.'
          : `"berth adopt ${server.process.pid}" takes it into the fleet file without a restart; or suppress this finding with a reason.`,
    },
  ];
}
