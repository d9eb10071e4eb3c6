import type { Mark } from '../../domain/instance.ts';
import { engineOf } from '../../engines/registry.ts';
import { textSince } from '../../io/log-file.ts';
import type { World } from '../../io/world.ts';

const pollMs = 250;

/** Reads an engine's output while it loads and tells each part of the load once; does nothing for engines that do not tell. */
export async function followProgress(
  world: World,
  options: { mark: Mark; from: number; signal: AbortSignal; onPart: (part: number) => void },
): Promise<void> {
  const { mark, from, signal, onPart } = options;
  const read = engineOf(mark.spec.engine).loadProgress;
  if (!read) return;
  let told: number | null = null;
  while (!signal.aborted) {
    const part = read(await textSince(mark.logFile, from));
    if (part !== null && part !== told) onPart(part);
    told = part ?? told;
    await world.clock.sleep(pollMs, signal).catch(() => {});
  }
}
