import { tryLock } from '../io/lock.ts';
import type { Lock } from '../io/lock.ts';
import type { World } from '../io/world.ts';
import { pullLockOf, storeOf } from './cache.ts';

export interface Waiting {
  readonly signal: AbortSignal;
  /** Once, where another has it. */
  readonly onWait: () => void;
}

/** A folder of the store is held by one process; it falls free when that ends, however it ends. */
export async function waitForTurn(
  world: World,
  folder: string,
  what: string,
  { signal, onWait }: Waiting,
): Promise<Lock> {
  const name = pullLockOf(storeOf(world), folder);
  for (let told = false; ; told = true) {
    const lock = await tryLock(name, what);
    if (lock !== null) return lock;
    if (!told) onWait();
    await world.clock.sleep(500, signal);
  }
}
