import type { GpuSample } from '../domain/run/server-sample.ts';
import type { World } from '../io/world.ts';
import { nvidiaLoadQuery, parseNvidiaLoad, parseRocmLoad, rocmLoadQuery } from './gpu-load.ts';

/** A driver's program that tells what its GPUs do. */
export interface GpuTool {
  readonly query: readonly string[];
  readonly parse: (text: string) => GpuSample[];
}

const tools: readonly GpuTool[] = [
  { query: nvidiaLoadQuery, parse: parseNvidiaLoad },
  { query: rocmLoadQuery, parse: parseRocmLoad },
];
const timeoutMs = 5000;

/** None when the program is not there, or tells nothing. */
export async function askGpus(
  { exec }: Pick<World, 'exec'>,
  { query, parse }: GpuTool,
): Promise<GpuSample[]> {
  const { code, stdout } = await exec.run(query, { timeoutMs });
  return parse(code === 0 ? stdout : '');
}

/** The GPUs of this machine, and whose program told of them; null where none did. */
export async function findGpus(
  world: Pick<World, 'exec'>,
): Promise<{ readonly tool: GpuTool; readonly gpus: GpuSample[] } | null> {
  for (const tool of tools) {
    const gpus = await askGpus(world, tool);
    if (gpus.length > 0) return { tool, gpus };
  }
  return null;
}
