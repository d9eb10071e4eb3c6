import { hasFlag } from '../../domain/command-line/flags.ts';
import { formatBytes } from '../../domain/format.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import {
  nameOf,
  placeOf,
  removableName,
  removeCommand,
  stopCommand,
} from '../../domain/audit/server-words.ts';
import { stopCommands } from '../../domain/audit/stop-commands.ts';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import { bySameModel } from '../../domain/audit/same-model.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import { roleOf } from '../../domain/model-role.ts';
import { copiesIn } from './duplicate/model-copies.ts';
import type { AuditView, Found, PodServer, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Replicas of one deployment are meant to be several; the servers of one proxy are folded under it already. */
export const duplicate: Rule = {
  id: 'duplicate',
  severity: 'warning',
  finds:
    'the same model file, or repository, served more than once on a machine, or by several workloads of a namespace that share no Service',
  why: 'Each copy holds the whole model; one with more slots does the same work.',
  find: (view) => [
    ...perHost(view.hosts, (host) => onHost(host, view)),
    ...copiesIn(view).map(({ model, servers }) => inCluster(model, servers)),
  ],
};

/** What each of them holds does not show in their templates. */
function inCluster(model: string, servers: readonly PodServer[]): Found {
  const titles = servers.map(({ workload }) => titleOf(workload.object));
  return {
    object: titles.join(' and '),
    names: servers.map(({ workload }) => workload.object.metadata.name),
    message: `They serve the same model, ${model}.`,
    evidence: servers.map(
      ({ workload, server }) => `${titleOf(workload.object)}: ${server.command.join(' ')}`,
    ),
    cure: 'Keep one of them, with more slots or replicas if need be, send all clients there, and scale the others to zero.',
  };
}

function onHost({ host, servers }: ObservedHost, view: AuditView): Found[] {
  const byRole = Map.groupBy(
    servers.filter((server) => server.modelId !== null && !isPart(server)),
    (server) => roleOf(server),
  );
  return [...byRole.values()].flatMap(bySameModel).flatMap((same) => {
    const deployments = new Set(
      same.map((server) => server.mark && `${server.mark.fleet}/${server.mark.deployment}`),
    );
    if (same.length < 2 || (deployments.size === 1 && !deployments.has(null))) return [];
    if (areReplicas(same)) return [];
    const [keep, ...spare] = same.toSorted(byWorth) as [ScannedServer, ...ScannedServer[]];
    const wasted = spare.reduce((sum, server) => sum + (server.rssBytes ?? 0), 0);
    const removable = spare.flatMap((server) => removableName(server) ?? []);
    const onGpu = spare.reduce((sum, server) => sum + (server.gpuBytes ?? 0), 0);
    return [
      {
        object: keep.model ?? 'model',
        names: same.flatMap((server) => server.mark?.deployment ?? []),
        message: `${same.length} servers hold the same model; the further ones hold ${formatBytes(wasted)} of memory.`,
        evidence: same.map(
          (server) => `${nameOf(server)} on ${placeOf(server)}, ${formatBytes(server.rssBytes)}`,
        ),
        cost: { memoryBytes: wasted, ...(onGpu > 0 ? { gpuBytes: onGpu } : {}) },
        cure: [
          `Keep ${nameOf(keep)}, send its clients there, and stop the rest: ${spare.map(stopCommand).join('; ')}.`,
          ...(removable.length > 0
            ? [`To remove them, their definition kept: "${removeCommand(removable, host)}".`]
            : []),
        ].join(' '),
        commands: spare.flatMap((server) => stopCommands(server, view)),
      },
    ];
  });
}

/** One of several processes that together are one server: replicas of its data-parallel group, nodes of a larger one. */
function isPart({ command }: ScannedServer): boolean {
  return hasFlag(
    command,
    '--headless',
    '--data-parallel-rank',
    '-dpn',
    '--data-parallel-start-rank',
    '--node-rank',
  );
}

/** One command but for its port and its device, each on GPUs that none of the others has: meant to answer more at once. */
function areReplicas(same: readonly ScannedServer[]): boolean {
  const lists = same.map(({ gpus }) => gpus.map(({ index }) => index));
  const all = lists.flat();
  if (lists.some((list) => list.length === 0) || new Set(all).size < all.length) return false;
  return new Set(same.map(({ command }) => shared(command).join('\0'))).size === 1;
}

/** What replicas have in common. */
function shared(command: readonly string[]): readonly string[] {
  const own = /^(--port|-p|--device|-dev|--main-gpu|-mg|--base-gpu-id|--nccl-port|--log-file)(=|$)/;
  return command.filter((word, at) => {
    const before = command[at - 1] ?? '';
    return !own.test(word) && !(own.test(before) && !before.includes('='));
  });
}

/** Worth keeping: what a fleet owns, then what computes on a GPU, then what a unit keeps, then what has run longest. */
function byWorth(a: ScannedServer, b: ScannedServer): number {
  const kinds = ['berth', 'system-unit', 'pod', 'container', 'user-unit', 'supervisor', 'session', 'unknown'];
  const owned = Number(b.owner.kind === 'berth') - Number(a.owner.kind === 'berth');
  if (owned !== 0) return owned;
  const gpu = Number((b.gpuBytes ?? 0) > 0) - Number((a.gpuBytes ?? 0) > 0);
  if (gpu !== 0) return gpu;
  const kind = kinds.indexOf(a.owner.kind) - kinds.indexOf(b.owner.kind);
  return kind !== 0 ? kind : a.startedAt.localeCompare(b.startedAt);
}
