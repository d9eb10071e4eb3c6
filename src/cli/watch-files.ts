import type { World } from '../io/world.ts';

const lookMs = 1_000;

/**
 * Calls back whenever one of the files changes, comes or goes, once per look however many did; until the signal aborts.
 * By looking, not by notification: that also sees files on network disks, and those that editors replace.
 */
export async function watchFiles(
  world: Pick<World, 'files' | 'clock'>,
  paths: () => readonly string[],
  options: { signal: AbortSignal; onChange: () => void },
): Promise<void> {
  const { signal, onChange } = options;
  let before = await stamps(world, paths());
  while (!signal.aborted) {
    await world.clock.sleep(lookMs, signal).catch(() => {});
    const now = await stamps(world, paths());
    if (!signal.aborted && now !== before) onChange();
    before = now;
  }
}

async function stamps(world: Pick<World, 'files'>, paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map((path) => world.files.stat(path)));
  return paths.map((path, i) => `${path}:${stats[i]?.mtimeMs}:${stats[i]?.size}`).join('\n');
}
