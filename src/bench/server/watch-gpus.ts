import type { GpuSample } from '../../domain/run/server-sample.ts';
import { askGpus, findGpus } from '../../hardware/read-gpus.ts';
import type { GpuTool } from '../../hardware/read-gpus.ts';
import type { World } from '../../io/world.ts';

/**
 * Asks the driver's tool again and again, for it may take over a second. Gives the newest answer once: a sample that comes
 * before the next one has no GPUs, instead of old figures. Without a tool that answers there are none at all.
 */
export function watchGpus(
  world: World,
  periodMs: number,
  signal: AbortSignal,
): () => Promise<readonly GpuSample[]> {
  let newest: readonly GpuSample[] = [];
  async function begin(): Promise<GpuTool | null> {
    const found = await findGpus(world);
    if (!found) return null;
    newest = found.gpus;
    return found.tool;
  }
  async function go(tool: GpuTool): Promise<void> {
    while (!signal.aborted) {
      await world.clock.sleep(periodMs, signal).catch(() => {});
      if (!signal.aborted) newest = await askGpus(world, tool);
    }
  }
  const begun = begin();
  void begun.then((tool) => tool && go(tool));
  return async () => {
    // The very first sample waits for the tool, so that the totals of a stage begin with it.
    await begun;
    const taken = newest;
    newest = [];
    return taken;
  };
}
