import type { Finding } from '../../domain/finding.ts';
import { formatBytes } from '../../domain/format.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { nameOf, placeOf, stopCommand } from '../words.ts';
import type { FindingContext } from './context.ts';

/** Replicas of one deployment are meant to be several; the servers of one proxy are folded under it already. */
export function duplicates(servers: readonly ScannedServer[]): Finding[] {
  const byModel = Map.groupBy(
    servers.filter((server) => server.modelId !== null),
    (server) => server.modelId,
  );
  return [...byModel.values()].flatMap((same) => {
    const deployments = new Set(
      same.map((server) => server.mark && `${server.mark.fleet}/${server.mark.deployment}`),
    );
    if (same.length < 2 || (deployments.size === 1 && !deployments.has(null))) return [];
    const [keep, ...spare] = same.toSorted(byWorth) as [ScannedServer, ...ScannedServer[]];
    const wasted = spare.reduce((sum, server) => sum + (server.rssBytes ?? 0), 0);
    return [
      {
        rule: 'duplicate',
        severity: 'warning' as const,
        object: keep.model ?? 'model',
        message: `${same.length} servers hold the same model; the further ones hold ${formatBytes(wasted)} of memory.`,
        evidence: same.map(
          (server) => `${nameOf(server)} on ${placeOf(server)}, ${formatBytes(server.rssBytes)}`,
        ),
        cure: `Keep ${nameOf(keep)}, send its clients there, and stop the rest: ${spare.map(stopCommand).join('; ')}`,
      },
    ];
  });
}

/** A server that names a port, does not listen, and finds another process there. */
export function portHeld(servers: readonly ScannedServer[], { listeners, table }: FindingContext): Finding[] {
  return servers.flatMap((server) => {
    const port = server.wantedPort;
    const netns = table.processes.get(server.process.pid)?.netns;
    if (port === null || !netns || server.endpoints.some((endpoint) => endpoint.port === port)) return [];
    const holder = listeners.find((listener) => listener.port === port && listener.netns === netns);
    if (!holder) return [];
    const pid = holder.pids[0];
    const by = pid === undefined ? `a process of user ${holder.uid}` : `process ${pid}`;
    const command = table.processes.get(pid ?? -1)?.argv[0];
    return [
      {
        rule: 'port-held',
        severity: 'warning' as const,
        object: nameOf(server),
        message: `Its port ${port} is held by ${by}${command ? ` (${command})` : ''}.`,
        evidence: [
          `${holder.address}:${port} in the same network namespace.`,
          ...server.evidence.slice(0, 1),
        ],
        cure: `Start it on another port, or end what holds port ${port}.`,
      },
    ];
  });
}

/** Worth keeping: what a fleet owns, then what a unit keeps, then what has run longest. */
function byWorth(a: ScannedServer, b: ScannedServer): number {
  const kinds = ['berth', 'system-unit', 'pod', 'container', 'user-unit', 'session', 'unknown'];
  const kind = kinds.indexOf(a.owner.kind) - kinds.indexOf(b.owner.kind);
  return kind !== 0 ? kind : a.startedAt.localeCompare(b.startedAt);
}
