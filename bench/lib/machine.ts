import { availableParallelism, cpus, loadavg } from 'node:os';

/** One line on the machine and its load, since every figure is a ratio taken on it. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return `machine: ${model}, ${availableParallelism()} cores, load ${load}, Node ${process.version}`;
}
