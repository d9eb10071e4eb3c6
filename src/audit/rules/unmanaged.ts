import type { ObservedFleet, ObservedHost } from '../../domain/audit/observation.ts';
import { deploymentOf } from '../../domain/audit/deployment-of.ts';
import { isTransientName, ownerName, placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import { areForked } from '../../domain/forked-workers.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const unmanaged: Rule = {
  id: 'unmanaged',
  severity: 'info',
  finds:
    'a server that somebody started by hand, be it one that the fleet reaches, or that is not in the fleet file at hand',
  why: 'What was started by hand ends with its session or at a reboot, and no file says how it was started.',
  find: (view) =>
    perHost(view.hosts, (host) =>
      host.servers.flatMap((server) => {
        // What the fleet reaches, or runs as a pod whose mark its maker has, the file has too.
        const deployment = deploymentOf(server, host.host, view);
        return deployment === null
          ? judge(server, host, view.fleet)
          : onlyReached(server, host, { deployment, fleet: view.fleet });
      }),
    ),
};

/** One that the file names and nobody starts: it is gone with its session, and its requests fail. */
function onlyReached(
  server: ScannedServer,
  host: ObservedHost,
  { deployment, fleet }: { deployment: string; fleet: ObservedFleet | null },
): Found[] {
  const stated = fleet?.deployments.find(({ name }) => name === deployment);
  if (server.mark !== null || !stated?.external || !isByHand(server, host)) return [];
  const { object, names } = subjectOf(server, host);
  return [
    {
      object,
      names: [deployment, ...names],
      message: `The fleet reaches it as ${deployment}, and nothing starts it again: it was started by hand.`,
      evidence: [`${ownerName(server)}, on ${placeOf(server)}, since ${server.startedAt}.`],
      cure: `Have a unit or container start it, or give berth its start in place of its URL; or suppress this finding with a reason.`,
    },
  ];
}

/** What was started by systemd-run under whatever name has no file that outlives a reboot. */
function isByHand({ owner: { kind, name } }: ScannedServer, { units }: ObservedHost): boolean {
  if (kind === 'session' || kind === 'unknown') return true;
  const scope = kind === 'system-unit' ? 'system' : kind === 'user-unit' ? 'user' : null;
  const unit = units.find((one) => one.scope === scope && one.name === name);
  return scope !== null && (isTransientName(name) || unit?.path.includes('/systemd/transient/') === true);
}

function judge(server: ScannedServer, host: ObservedHost, fleet: ObservedFleet | null): Found[] {
  // A worker is of the server that has started it, or is left over.
  const isWorker = server.worker === true;
  if (server.mark !== null || (isWorker && areForked(server.engine))) return [];
  const byHand = isByHand(server, host);
  if (!byHand && fleet === null) return [];
  return [
    {
      ...subjectOf(server, host),
      severity: byHand && fleet !== null ? 'warning' : 'info',
      message: byHand
        ? 'It was started by hand: nothing starts it again, and no file says how it was started.'
        : `It runs beside the fleet ${fleet?.name}, which does not know it.`,
      evidence: [`${ownerName(server)}, on ${placeOf(server)}, since ${server.startedAt}.`],
      cure: isWorker
        ? 'Have a unit or container start it; or suppress this finding with a reason.'
        : fleet === null
          ? '"berth adopt" writes it into a fleet file, without a restart.'
          : `"berth adopt ${server.process.pid}" takes it into the fleet file without a restart; or suppress this finding with a reason.`,
    },
  ];
}
