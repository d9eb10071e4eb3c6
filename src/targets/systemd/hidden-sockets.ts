import { randomBytes } from 'node:crypto';
import type { Listener, ProcessEntry } from '../../domain/process-facts.ts';
import { readProcessTable } from '../../io/procfs.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import { processesScript, readProcesses } from '../../io/ssh/processes.ts';
import type { World } from '../../io/world.ts';
import { asRoot } from './scope.ts';
import type { Scope } from './scope.ts';

/** Users that systemd makes for one unit alone, while it runs. */
function isOfOneUnit(uid: number): boolean {
  return uid >= 61_184 && uid <= 65_519;
}

/** Whose sockets a user without rights cannot see: then that of a unit's own user is known by that user. */
export function isHeldBy({ pids, uid }: Listener, members: readonly ProcessEntry[]): boolean {
  if (pids.length > 0) return members.some(({ pid }) => pids.includes(pid));
  return isOfOneUnit(uid) && members.some((one) => one.uid === uid);
}

/**
 * Listeners of units that run as a user whom others are, too: only who may look into the processes knows whose they are. Asks
 * through sudo, which leaves a line in the machine's log, and only where there is such a listener.
 */
export async function hiddenSockets(
  world: World,
  scope: Scope,
  members: readonly ProcessEntry[],
  listeners: readonly Listener[],
): Promise<readonly Listener[]> {
  if (!scope.sudo) return [];
  const open = listeners.filter(({ pids, uid }) => pids.length === 0 && !isOfOneUnit(uid));
  const asked = members.filter(({ uid }) => open.some((one) => one.uid === uid));
  if (asked.length === 0) return [];
  const nonce = randomBytes(12).toString('hex');
  const script = processesScript(
    nonce,
    asked.map(({ pid }) => pid),
  );
  const { code, stdout } = await world.exec.run([...asRoot(scope), 'sh', '-c', script], {
    timeoutMs: 20_000,
  });
  if (code !== 0) return [];
  const proc = readProcesses(stdout, nonce);
  return readListeners(proc, readProcessTable(proc)).filter(({ pids }) => pids.length > 0);
}
