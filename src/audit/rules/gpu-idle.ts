import { formatBytes } from '../../domain/format.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const gpuIdle: Rule = {
  id: 'gpu-idle',
  severity: 'warning',
  finds:
    'a server that computes on the CPU while a GPU beside it has room for its model and is used by nobody',
  why: 'A GPU answers many times faster, and costs the same while it waits.',
  find: ({ hosts }) =>
    perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const free = host.hardware.gpus.find(
          (gpu) =>
            gpu.mig !== true &&
            gpu.processes.length === 0 &&
            (gpu.memoryUsedBytes ?? 0) < 1024 ** 3 &&
            (gpu.memoryBytes ?? 0) > (server.modelBytes ?? Infinity),
        );
        const onGpu = server.gpus.length > 0 || (server.gpuBytes ?? 0) > 0;
        if (!free || onGpu || server.modelBytes === null) return [];
        return [
          {
            ...subjectOf(server, host),
            message: `It computes on the CPU, and GPU ${free.index} (${free.name}) does nothing.`,
            evidence: [
              `model ${formatBytes(server.modelBytes)}`,
              `GPU ${free.index}: ${formatBytes(free.memoryBytes)}, no process`,
            ],
            ...(free.memoryBytes === null ? {} : { cost: { gpuBytes: free.memoryBytes } }),
            cure: 'Give it the GPU (gpus: 1 of its deployment), with a build that supports it.',
          },
        ];
      }),
    ),
};
