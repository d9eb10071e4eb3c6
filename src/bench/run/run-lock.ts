import { lockHolder, tryLock } from '../../io/lock.ts';
import type { Lock } from '../../io/lock.ts';

/** Held by the load generator of a run while it works, however it ends; null when another one has it. */
export function lockRun(folder: string): Promise<Lock | null> {
  return tryLock(nameOf(folder), 'bench');
}

/** Whether somebody works on a run now, on this machine. */
export async function goesOn(folder: string): Promise<boolean> {
  return (await lockHolder(nameOf(folder))) !== null;
}

function nameOf(folder: string): string {
  return `run ${folder}`;
}
