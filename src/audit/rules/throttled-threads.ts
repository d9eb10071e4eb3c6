import { runningUnseen } from '../../domain/audit/container-server.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import { ownerName, subjectOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const throttledThreads: Rule = {
  id: 'throttled-threads',
  severity: 'warning',
  finds: 'more compute threads than the CPU limit of its control group or container',
  why: 'The kernel stops all of them in turn, and each step waits for the one that is stopped.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
      host.servers.flatMap((server) =>
        tooMany(server.options['threads'] ?? usualThreads(server.engine, host), server.quotaCores, {
          ...subjectOf(server, host),
          where: `Process ${server.process.pid} is in ${ownerName(server)}.`,
        }),
      ),
    ),
    ...perHost(hosts, (host) =>
      runningUnseen(host).flatMap(({ name, starts, cpuLimit }) =>
        tooMany(starts.options['threads'] ?? usualThreads(starts.engine, host), cpuLimit, {
          object: `container ${name}`,
          names: [name],
          where: `Its daemon gives it ${cpuLimit} CPUs.`,
        }),
      ),
    ),
    ...pods.flatMap(({ workload, container, server, cpuLimit }) =>
      tooMany(server.options['threads'], cpuLimit, {
        object: titleOf(workload.object),
        names: [workload.object.metadata.name],
        where: `Container ${container.name}: limits.cpu ${container.resources?.limits?.['cpu']}, --threads ${String(server.options['threads'])}.`,
      }),
    ),
  ],
};

/** llama-server that is told no number takes one thread for each core of the machine, and does not look at its limit. */
function usualThreads(engine: string, { hardware: { cpu } }: ObservedHost): number | null {
  return engine === 'llama.cpp' ? cpu.physicalCores : null;
}

function tooMany(
  count: unknown,
  limit: number | null,
  { where, ...subject }: { object: string; names: string[]; where: string },
): Found[] {
  if (typeof count !== 'number' || limit === null || count <= Math.ceil(limit)) return [];
  return [
    {
      ...subject,
      message: `It computes with ${count} threads, and its CPU limit is ${limit}.`,
      evidence: [where],
      cure: `Give it at most ${Math.max(1, Math.floor(limit))} threads, or raise the limit.`,
    },
  ];
}
