import type { Instance } from '../../domain/instance.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import type { World } from '../../io/world.ts';
import { markVariable, membersOf } from './marks.ts';

const pollMs = 50;

/**
 * Sends the signal to the engine's process group, waits, then kills what is left of it. Every signal is sent only after the
 * process was found to be the very one that was observed (same boot, pid, start time and mark): pids are used again.
 */
export async function remove(
  world: World,
  instance: Instance,
  how: { signal: string; graceMs: number },
): Promise<void> {
  const leader = sameProcess(world, instance);
  if (!leader) return;
  signalGroup(world, leader, how.signal as NodeJS.Signals);
  const until = world.clock.now() + how.graceMs;
  while (world.clock.now() < until) {
    if (leftOf(world, leader).length === 0) return;
    await world.clock.sleep(pollMs);
  }
  while (leftOf(world, leader).length > 0) {
    signalGroup(world, leader, 'SIGKILL');
    await world.clock.sleep(pollMs);
  }
}

function sameProcess(world: World, instance: Instance): ProcessEntry | null {
  const { process: id } = instance;
  if (!id || id.bootId !== readBootId(world.proc)) return null;
  const entry = readProcess(world.proc, id.pid);
  return entry?.startTicks === id.startTicks && entry.env?.[markVariable] !== undefined ? entry : null;
}

/** The leader may be gone while its children live on; they carry its mark and its group. */
function leftOf(world: World, leader: ProcessEntry): ProcessEntry[] {
  const table = readProcessTable(world.proc);
  return [...membersOf(leader, table).values()].filter((member) => {
    const now = table.processes.get(member.pid);
    return now !== undefined && now.startTicks === member.startTicks;
  });
}

/** Each member by its own pid when it has left the group, the group as a whole otherwise. */
function signalGroup(world: World, leader: ProcessEntry, signal: NodeJS.Signals): void {
  const members = leftOf(world, leader);
  if (members.some((member) => member.pgid === leader.pgid)) world.exec.kill(-leader.pgid, signal);
  for (const member of members) if (member.pgid !== leader.pgid) world.exec.kill(member.pid, signal);
}
