import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance } from '../../domain/instance.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import type { World } from '../../io/world.ts';
import { forget, isAdopted } from './mark-files.ts';
import { markVariable, membersOf } from './marks.ts';
import { dropUnused } from './record.ts';
import { forgetMark } from './written-marks.ts';

const pollMs = 50;
/** So long after SIGKILL nothing more is to be hoped for. */
const giveUpAfterMs = 60_000;

/**
 * Sends the signal to the engine's process group, waits, then kills what is left of it. Every signal is sent only after the
 * process was found to be the very one that was observed (same boot, pid, start time and mark): pids are used again.
 */
export async function remove(
  world: World,
  instance: Instance,
  how: { signal: string; graceMs: number; ends?: boolean },
): Promise<void> {
  const leader = await sameProcess(world, instance);
  if (!leader) return;
  await end(world, leader, how);
  if (instance.process) await forget(world, instance.process);
  await forgetUnused(world, leader);
  if (how.ends && instance.mark) await dropUnused(world, instance.mark);
}

/** One that left the engine's group and session may live on with its mark. */
async function forgetUnused(world: World, leader: ProcessEntry): Promise<void> {
  const text = leader.env?.[markVariable];
  if (text === undefined || world.uid !== 0) return;
  const { processes } = readProcessTable(await world.procfs());
  const isUsed = [...processes.values()].some(({ env }) => env?.[markVariable] === text);
  if (!isUsed) await forgetMark(world, text);
}

async function end(
  world: World,
  leader: ProcessEntry,
  how: { signal: string; graceMs: number },
): Promise<void> {
  await signalGroup(world, leader, how.signal as NodeJS.Signals);
  const until = world.clock.now() + how.graceMs;
  while (world.clock.now() < until) {
    if ((await leftOf(world, leader)).length === 0) return;
    await world.clock.sleep(pollMs);
  }
  const last = world.clock.now() + giveUpAfterMs;
  for (;;) {
    const [left] = await leftOf(world, leader);
    if (!left) return;
    if (world.clock.now() > last)
      throw new BerthError('NOT_ENDING', {
        object: `process ${left.pid}`,
        holds: 'SIGKILL does not end it, as one that waits for a disk or a driver',
      });
    await signalGroup(world, leader, 'SIGKILL');
    await world.clock.sleep(pollMs);
  }
}

async function sameProcess(world: World, { process: id }: Instance): Promise<ProcessEntry | null> {
  if (!id) return null;
  const proc = await world.procfs([id.pid]);
  if (id.bootId !== readBootId(proc)) return null;
  const entry = readProcess(proc, id.pid);
  if (!entry || entry.startTicks !== id.startTicks) return null;
  return entry.env?.[markVariable] !== undefined || (await isAdopted(world, id)) ? entry : null;
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
  // The group of an adopted one is that of whoever started it.
  if (leader.env?.[markVariable] === undefined) {
    for (const member of members) await world.exec.kill(member.pid, signal);
    return;
  }
  if (members.some((member) => member.pgid === leader.pgid)) await world.exec.kill(-leader.pgid, signal);
  for (const member of members) if (member.pgid !== leader.pgid) await world.exec.kill(member.pid, signal);
}
