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
  const leader = await sameProcess(world, instance);
  if (!leader) return;
  await signalGroup(world, leader, how.signal as NodeJS.Signals);
  const until = world.clock.now() + how.graceMs;
  while (world.clock.now() < until) {
    if ((await leftOf(world, leader)).length === 0) return;
    await world.clock.sleep(pollMs);
  }
  while ((await leftOf(world, leader)).length > 0) {
    await signalGroup(world, leader, 'SIGKILL');
    await world.clock.sleep(pollMs);
  }
}

async function sameProcess(world: World, { process: id }: Instance): Promise<ProcessEntry | null> {
  if (!id) return null;
  const proc = await world.procfs([id.pid]);
  if (id.bootId !== readBootId(proc)) return null;
  const entry = readProcess(proc, id.pid);
  return entry?.startTicks === id.startTicks && entry.env?.[markVariable] !== undefined ? entry : null;
}

/** The leader may be gone while its children live on; they carry its mark and its group. */
async function leftOf(world: World, leader: ProcessEntry): Promise<ProcessEntry[]> {
  const table = readProcessTable(await world.procfs());
  return [...membersOf(leader, table).values()].filter((member) => {
    const now = table.processes.get(member.pid);
    return now !== undefined && now.startTicks === member.startTicks;
  });
}

/** Each member by its own pid when it has left the group, the group as a whole otherwise. */
async function signalGroup(world: World, leader: ProcessEntry, signal: NodeJS.Signals): Promise<void> {
  const members = await leftOf(world, leader);
  if (members.some((member) => member.pgid === leader.pgid)) await world.exec.kill(-leader.pgid, signal);
  for (const member of members) if (member.pgid !== leader.pgid) await world.exec.kill(member.pid, signal);
}
