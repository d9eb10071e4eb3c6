import type { Mark } from '../../domain/instance.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import type { Started } from '../../targets/contract.ts';

const pollMs = 250;
/** More than an engine writes between two looks. */
const shownLines = 400;

/** Reads an engine's output while it loads and tells each part of the load once; does nothing for engines that do not tell. */
export async function followProgress(
  world: World,
  options: {
    mark: Mark;
    lines: Started['lines'];
    signal: AbortSignal;
    onPart: (part: number) => void;
  },
): Promise<void> {
  const { mark, lines, signal, onPart } = options;
  const read = engineOf(mark.spec.engine).loadProgress;
  if (!read) return;
  let told: number | null = null;
  while (!signal.aborted) {
    const part = read((await lines(shownLines)).join('\n'));
    if (part !== null && part !== told) onPart(part);
    told = part ?? told;
    await world.clock.sleep(pollMs, signal).catch(() => {});
  }
}
