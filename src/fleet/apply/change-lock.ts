import { BerthError } from '../../domain/errors/berth-error.ts';
import { lockHolder, tryLock } from '../../io/lock.ts';
import type { Lock } from '../../io/lock.ts';
import type { World } from '../../io/world.ts';

/** How long another change is waited for; one takes milliseconds. */
const patienceMs = 10_000;

/** One change of a file at a time, over all processes of this machine. Throws LOCKED. */
export async function lockForChange(world: World, path: string): Promise<Lock> {
  const name = `change ${path}`;
  const end = world.clock.now() + patienceMs;
  for (;;) {
    const lock = await tryLock(name, String(process.pid));
    if (lock) return lock;
    if (world.clock.now() > end) {
      const holder = `process ${(await lockHolder(name)) ?? 'unknown'}`;
      throw new BerthError('LOCKED', { what: path, holder });
    }
    await world.clock.sleep(20);
  }
}
