import type { GpuSample } from '../../domain/run/server-sample.ts';
import { nvidiaLoadQuery, parseNvidiaLoad, parseRocmLoad, rocmLoadQuery } from '../../hardware/gpu-load.ts';
import type { World } from '../../io/world.ts';

const tools = [
  { query: nvidiaLoadQuery, parse: parseNvidiaLoad },
  { query: rocmLoadQuery, parse: parseRocmLoad },
] as const;

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
  async function run(query: readonly string[]): Promise<string> {
    const { code, stdout } = await world.exec.run(query, { timeoutMs: 5000 });
    return code === 0 ? stdout : '';
  }
  async function begin(): Promise<(typeof tools)[number] | null> {
    for (const tool of tools) {
      newest = tool.parse(await run(tool.query));
      if (newest.length > 0) return tool;
    }
    return null;
  }
  async function go({ query, parse }: (typeof tools)[number]): Promise<void> {
    while (!signal.aborted) {
      await world.clock.sleep(periodMs, signal).catch(() => {});
      if (!signal.aborted) newest = parse(await run(query));
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
