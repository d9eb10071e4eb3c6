import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';

/** Where something was changed. */
interface Changed {
  readonly target: string;
  readonly host: string;
}

/** What targets do once for all changes of a command, on each host once. The changes are done: that it fails is told and no fault of theirs. */
export async function settleAll(
  changes: readonly Changed[],
  { worldOf, onProgress }: { worldOf: (host: string) => Promise<World>; onProgress: (line: string) => void },
): Promise<void> {
  const places = new Map(changes.map((one) => [`${one.host} ${one.target}`, one]));
  for (const { target, host } of places.values())
    try {
      await targetOf(target).settle?.(await worldOf(host));
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      onProgress(`berth: ${host}: ${error.message}`);
    }
}
