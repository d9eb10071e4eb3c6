import type { Command } from 'commander';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { ClusterGatewayStatus, FleetStatus, ReplicaStatus } from '../../domain/fleet-status.ts';
import { fleetStatus } from '../../fleet/observe/status.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { table } from '../output.ts';
import { llmServicesText } from '../text/llm-services-text.ts';
import { loadOrApplied, oldFileFinding } from '../despite-faults.ts';
import { findingText } from '../text/plan-text.ts';

export const examples = [
  ['berth status', 'What of the fleet runs, where, since when.'],
  ['berth status --json', 'The same for machines.'],
] as const;

/** What runs, or is on demand and waits for its next request. */
const wellStates: ReadonlySet<ReplicaStatus['state']> = new Set(['ready', 'unloaded', 'fetching']);

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--check', 'exit with code 6 unless everything is ready')
    .action(async (options: FileOptions & { readonly check?: boolean }) => {
      const { status, resting } = await look(context, options);
      context.output.result(status, () => statusText(status, context.world.clock.wall()));
      const replicas = status.deployments
        .filter((one) => !resting.includes(one.name))
        .flatMap((one) => one.replicas);
      const door = status.clusterGateway;
      const closed = door !== undefined && door.ready < door.replicas;
      if (options.check && (closed || replicas.some(({ state }) => !wellStates.has(state))))
        context.exit(exitCodes.targetDown);
    });
}

/** A file that is not valid is told of, beside what runs by what was last applied of it. */
async function look(
  context: CliContext,
  options: FileOptions,
): Promise<{ status: FleetStatus; resting: readonly string[] }> {
  const { loaded, old } = await loadOrApplied(context, options);
  const resting = loaded.deployments.filter((one) => one.atRest !== undefined).map((one) => one.name);
  const status = await fleetStatus(context.world, loaded, { onWait: context.output.progress });
  const findings = [...(old ? [oldFileFinding(old)] : []), ...status.findings];
  return { status: { ...status, findings }, resting };
}

function statusText(status: FleetStatus, now: Date): string {
  const rows = status.deployments.flatMap((one) =>
    one.replicas.map((replica) => [
      one.replicas.length > 1 ? `${one.name}-${replica.replica}` : one.name,
      one.engine,
      replica.state + (replica.outdated ? ' (outdated)' : ''),
      replica.url ?? '-',
      replica.pid === null ? '-' : String(replica.pid),
      age(replica, now),
      replica.rssBytes === null ? '-' : `${Math.round(replica.rssBytes / 1024 ** 2)} MiB`,
    ]),
  );
  const header = ['DEPLOYMENT', 'ENGINE', 'STATE', 'URL', 'PID', 'UP', 'MEMORY'];
  return [
    `Fleet ${status.fleet}`,
    rows.length > 0 ? table([header, ...rows], [4, 5, 6]) : 'It has no deployments.',
    `Gateway: ${status.gateway.url ?? 'stopped'}`,
    ...(status.clusterGateway ? [clusterText(status.clusterGateway)] : []),
    `Console: ${status.console.url ?? 'stopped'}`,
    ...(status.llmServices ?? []).map(llmServicesText),
    ...(status.foreign > 0 ? [`Engines of other fleets on this machine: ${status.foreign}`] : []),
    ...status.findings.map(findingText),
  ].join('\n');
}

function clusterText({ host, state, ready, replicas, url, waits }: ClusterGatewayStatus): string {
  const where = `Gateway on ${host}: ${state}`;
  if (url === null) return where;
  return `${where}, ${ready} of ${replicas} pods ready, ${url}${waits === null ? '' : ` (one ${waits})`}`;
}

function age(replica: ReplicaStatus, now: Date): string {
  if (replica.since === null) return '-';
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(replica.since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}
