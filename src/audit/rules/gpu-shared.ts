import type { ObservedHost } from '../../domain/audit/observation.ts';
import { formatBytes } from '../../domain/format.ts';
import { nameOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const gpuShared: Rule = {
  id: 'gpu-shared',
  severity: 'warning',
  finds: 'two engines that compute on one GPU',
  why: 'They slow each other down, and whichever grows last runs out of its memory.',
  find: ({ hosts }) => perHost(hosts, onHost),
};

function onHost(host: ObservedHost): Found[] {
  return host.hardware.gpus.flatMap((gpu) => {
    // Parts of a GPU (MIG) are as apart as two of them, and who has which is not told.
    if (gpu.mig === true) return [];
    const on = host.servers.flatMap((server) => {
      const held = server.gpus.find((one) => one.index === gpu.index);
      return held ? [{ server, held }] : [];
    });
    if (on.length < 2) return [];
    return [
      {
        object: `GPU ${gpu.index}`,
        names: on.flatMap(({ server }) => server.mark?.deployment ?? []),
        message: `${on.length} engines compute on ${gpu.name}.`,
        evidence: on.map(({ server, held }) => `${nameOf(server)}: ${formatBytes(held.memoryBytes)}`),
        cure: 'Give each a GPU of its own, or serve both models by one engine that changes between them.',
      },
    ];
  });
}
