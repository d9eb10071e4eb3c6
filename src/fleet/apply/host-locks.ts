import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import type { Lock } from '../../io/lock.ts';
import type { World } from '../../io/world.ts';
import { worldOn } from '../file/hosts.ts';
import { hostLock } from '../file/paths.ts';

const lockWaitMs = 60_000;
const pollMs = 200;

export interface LockTaker {
  /** In words, for whoever waits: "berth apply of fleet lab". */
  readonly who: string;
  readonly onProgress: (line: string) => void;
  /** How long it waits for others; a minute, where nothing is said. */
  readonly waitMs?: number;
}

/** Waits for whoever else changes engines on the machine of this world. Throws LOCKED. */
export async function takeHostLock(world: World, { who, onProgress, waitMs }: LockTaker): Promise<Lock> {
  const { machine, clock, locks } = world;
  const until = clock.now() + (waitMs ?? lockWaitMs);
  for (let told = false; ; told = true) {
    const lock = await locks.take(hostLock(world), `${who} (process ${process.pid})`);
    if (lock) return lock;
    const holder = (await locks.holder(hostLock(world))) ?? 'another process';
    const what = machine === thisMachine ? 'This host' : machine;
    if (clock.now() > until) throw new BerthError('LOCKED', { what, holder });
    if (!told) onProgress(`Waiting for ${holder}`);
    await clock.sleep(pollMs);
  }
}

/** The locks of this machine and of all those, in an order that all keep to, so that no two wait for each other. */
export async function takeHostLocks(
  world: World,
  hosts: readonly HostAccess[],
  taker: LockTaker,
): Promise<Disposable> {
  const byMachine = new Map<string, HostAccess | undefined>([[thisMachine, undefined]]);
  for (const access of hosts) byMachine.set(machineOf(access), access);
  const taken: Lock[] = [];
  function release(): void {
    for (const lock of taken) lock.release();
  }
  try {
    for (const machine of [...byMachine.keys()].toSorted())
      taken.push(await takeHostLock(await worldOn(world, byMachine.get(machine)), taker));
  } catch (error) {
    release();
    throw error;
  }
  return { [Symbol.dispose]: release };
}
