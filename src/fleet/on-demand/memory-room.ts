import type { Hardware } from '../../domain/hardware.ts';
import type { MemoryNeed, MemoryRoom } from '../../domain/on-demand.ts';

/** One running engine of this fleet, as far as memory goes. */
export interface Held {
  /** Bytes that are its own: mapped files, the weights of most engines, can be dropped and read again. */
  readonly ownBytes: number | null;
  /** Bytes on GPUs. */
  readonly gpuBytes: number;
  /** What it needs at most; null when that is not known. */
  readonly need: MemoryNeed | null;
  readonly onDemand: boolean;
}

/** Left to everything else on the machine. */
const spareShare = 0.05;

/**
 * What models on demand may take together: what would be there if no engine of ours ran, less what those that always run need. Memory
 * of others is gone already: the system does not count it as available. Pure.
 */
export function memoryRoom(hardware: Pick<Hardware, 'memory' | 'gpus'>, held: readonly Held[]): MemoryRoom {
  const { memory, gpus } = hardware;
  const always = held.filter((one) => !one.onDemand);
  const limit = memory.limitBytes ?? memory.totalBytes;
  const own = sum(held.map((one) => one.ownBytes ?? 0));
  const reserved = sum(always.map((one) => one.need?.host ?? one.ownBytes ?? 0));
  const free = memory.availableBytes === null ? null : Math.min(memory.availableBytes + own, limit);
  const host = free === null ? null : Math.max(0, Math.floor(free - reserved - limit * spareShare));
  return { host, gpu: gpuRoom(gpus, held) };
}

function gpuRoom(gpus: Hardware['gpus'], held: readonly Held[]): number | null {
  if (gpus.length === 0 || gpus.some((gpu) => gpu.memoryBytes === null || gpu.memoryUsedBytes === null))
    return null;
  const free = sum(gpus.map((gpu) => (gpu.memoryBytes ?? 0) - (gpu.memoryUsedBytes ?? 0)));
  const ours = sum(held.map((one) => one.gpuBytes));
  const always = sum(
    held.filter((one) => !one.onDemand).map((one) => Math.max(one.need?.gpu ?? 0, one.gpuBytes)),
  );
  return Math.max(0, free + ours - always);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
