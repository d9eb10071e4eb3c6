import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import type { Lock } from '../../io/lock.ts';
import type { World } from '../../io/world.ts';
import { worldOn } from '../file/hosts.ts';
import { hostLock } from '../file/paths.ts';

const pollMs = 200;
/** Who waits for hours asks no more often than this: a question is a session of ssh, or requests to a cluster. */
const longestPollMs = 1_000;
/** Whoever gives no sign for so long stands still, and is waited for no longer. A lock ends by itself with the process that has it. */
const standstillMs = 60_000;
const tellMs = 60_000;

export interface LockTaker {
  /** In words, for whoever waits: "berth apply of fleet lab". */
  readonly who: string;
  readonly onProgress: (line: string) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** How long it waits for others at most; absent: as long as they are at work, which a large model's load may take hours of. */
  readonly waitMs?: number;
  /** How long others may give no sign that they are. */
  readonly standstillMs?: number;
}

/** Waits for whoever else changes engines on the machine of this world. Throws LOCKED, and what the signal is aborted with. */
export async function takeHostLock(world: World, taker: LockTaker): Promise<Lock> {
  const { machine, clock, locks } = world;
  const { who, signal, waitMs = Number.POSITIVE_INFINITY, standstillMs: patience = standstillMs } = taker;
  const begun = clock.now();
  const tell = teller(taker.onProgress);
  let sign = begun;
  for (;;) {
    signal?.throwIfAborted();
    const lock = await locks.take(hostLock(world), `${who} (process ${process.pid})`);
    if (lock) return lock;
    const { text: holder, lives } = (await locks.holder(hostLock(world))) ?? unknown;
    const now = clock.now();
    if (lives) sign = now;
    if (now - begun > waitMs || now - sign > patience) {
      const silentMs = now - sign > patience ? now - sign : 0;
      const what = machine === thisMachine ? 'This host' : machine;
      throw new BerthError('LOCKED', { what, holder, silentSeconds: Math.round(silentMs / 1000) });
    }
    tell(holder, now - begun);
    await clock.sleep(Math.min(longestPollMs, Math.max(pollMs, (now - begun) / 30)), signal);
  }
}

/** It may have just ended, or hide. */
const unknown = { text: 'another process', lives: false } as const;

/** Each who is waited for once, and again from time to time: of several who wait, each is seen at times for a moment. */
function teller(onProgress: (line: string) => void): (holder: string, waitedMs: number) => void {
  const told = new Map<string, number>();
  return (holder, waitedMs) => {
    const at = told.get(holder);
    if (at !== undefined && waitedMs - at < tellMs) return;
    const minutes = Math.round(waitedMs / 60_000);
    onProgress(
      at === undefined ? `Waiting for ${holder}` : `Still waiting for ${holder}, for ${minutes} min by now`,
    );
    told.set(holder, waitedMs);
  };
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
