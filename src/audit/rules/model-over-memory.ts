import { formatBytes } from '../../domain/format.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const modelOverMemory: Rule = {
  id: 'model-over-memory',
  severity: 'warning',
  finds: 'a model on the CPU that is larger than the memory its server may use',
  why: 'Its weights are read from disk again for each token.',
  find: ({ hosts }) =>
    perHost(hosts, (host) =>
      host.servers.flatMap((server) => {
        const { totalBytes, limitBytes } = host.hardware.memory;
        const limit = Math.min(server.memoryLimitBytes ?? Infinity, limitBytes ?? Infinity, totalBytes);
        const onGpu = (server.gpuBytes ?? 0) > 0;
        if (onGpu || server.modelBytes === null || server.modelBytes <= limit) return [];
        return [
          {
            ...subjectOf(server, host),
            message: `Its model has ${formatBytes(server.modelBytes)}, and it may use ${formatBytes(limit)} of memory.`,
            evidence: [`${server.model}: ${server.modelBytes} bytes`, `limit ${limit} bytes`],
            cure: 'Raise the limit, or serve a smaller quantization.',
          },
        ];
      }),
    ),
};
