import type { FleetLoad, ReplicaLoad } from '../../domain/fleet-load.ts';
import type { GpuSample } from '../../domain/run/server-sample.ts';
import { table } from '../output.ts';
import { llmServicesText } from './llm-services-text.ts';

const header = ['DEPLOYMENT', 'STATE', 'BUSY', 'WAITING', 'KV', 'IN TOK/S', 'OUT TOK/S', 'CORES', 'MEMORY'];
const gpuHeader = ['GPU', 'BUSY', 'MEMORY', 'POWER'];

/** The fleet's load as a table, one of the GPUs and one of LLMInferenceServices where there are any; what is not told is a dash. */
export function loadText({ replicas, gpus, llmServices }: FleetLoad): string {
  const many = new Set(replicas.filter((one) => one.replica > 0).map((one) => one.deployment));
  const rows = replicas.map((one) => replicaRow(one, many.has(one.deployment)));
  const parts = [
    replicas.length > 0 ? table([header, ...rows], [2, 3, 4, 5, 6, 7, 8]) : 'The fleet has no deployments.',
    ...(gpus.length > 0 ? [table([gpuHeader, ...gpus.map(gpuRow)], [1, 2, 3])] : []),
    ...(llmServices ?? []).map(llmServicesText),
  ];
  return parts.join('\n\n');
}

function replicaRow(one: ReplicaLoad, numbered: boolean): string[] {
  return [
    numbered ? `${one.deployment}-${one.replica}` : one.deployment,
    one.state,
    one.running === null ? '-' : `${one.running}${one.slots === null ? '' : `/${one.slots}`}`,
    told(one.waiting, String),
    told(one.kvUse, percent),
    told(one.promptTokensPerSecond, rate),
    told(one.outputTokensPerSecond, rate),
    told(one.cores, (cores) => cores.toFixed(2)),
    told(one.memoryBytes, memory),
  ];
}

function gpuRow(gpu: GpuSample): string[] {
  return [
    gpu.name === null ? gpu.gpu : `${gpu.name} (${gpu.gpu})`,
    told(gpu.utilization, percent),
    told(gpu.memoryBytes, memory),
    told(gpu.watts, (watts) => `${watts.toFixed(0)} W`),
  ];
}

function told(value: number | null, write: (value: number) => string): string {
  return value === null ? '-' : write(value);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

function memory(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
