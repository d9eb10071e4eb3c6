import type { ObservedHost } from '../../domain/audit/observation.ts';
import { formatBytes } from '../../domain/format.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Less than this is a desktop or a driver's own. */
const counts = 1024 ** 3;

export const gpuForeign: Rule = {
  id: 'gpu-foreign',
  severity: 'info',
  finds: 'memory of a GPU with model servers that another program holds',
  why: 'It is missing for slots and context, and an engine that takes a share of the whole may not start again.',
  find: ({ hosts }) => perHost(hosts, onHost),
};

function onHost(host: ObservedHost): Found[] {
  return host.hardware.gpus.flatMap((gpu) => {
    const own = host.servers.filter((server) => server.gpus.some((one) => one.index === gpu.index));
    const known = own.reduce(
      (sum, { gpus }) => sum + (gpus.find((one) => one.index === gpu.index)?.memoryBytes ?? 0),
      0,
    );
    const all = gpu.processes.reduce((sum, one) => sum + (one.memoryBytes ?? 0), 0);
    // What another part of a GPU (MIG) holds is missing to nobody.
    if (gpu.mig === true || own.length === 0 || all - known < counts) return [];
    return [
      {
        object: `GPU ${gpu.index}`,
        message: `${formatBytes(all - known)} of ${gpu.name} are held by programs that are no model servers.`,
        evidence: gpu.processes.map(
          ({ pid, name, memoryBytes }) => `process ${pid} (${name}): ${formatBytes(memoryBytes)}`,
        ),
        cost: { gpuBytes: all - known },
        cure: 'End those programs, or move them to another GPU.',
      },
    ];
  });
}
