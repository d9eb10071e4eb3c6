import type { Instance } from '../../domain/instance.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import { cpuNanoseconds } from '../../io/procfs/cpu-time.ts';
import { readUsage } from '../../io/procfs/usage.ts';
import type { Procfs } from '../../io/procfs/read.ts';
import type { World } from '../../io/world.ts';
import type { Usage } from '../contract.ts';
import { membersOf } from './marks.ts';

/** The very process that was observed, not a later one of the same pid. */
export function entryOf(proc: Procfs, { process: id }: Instance): ProcessEntry | null {
  if (!id || id.bootId !== readBootId(proc)) return null;
  const entry = readProcess(proc, id.pid);
  return entry?.startTicks === id.startTicks ? entry : null;
}

export async function isAlive(world: World, instance: Instance): Promise<boolean> {
  const pids = instance.process ? [instance.process.pid] : [];
  return entryOf(await world.procfs(pids), instance) !== null;
}

/** Of the process and all that it started. Nobody counts how often it was started again. */
export async function usage(world: World, instance: Instance): Promise<Usage> {
  const proc = await world.procfs();
  const leader = entryOf(proc, instance);
  const members = leader ? [...membersOf(leader, readProcessTable(proc)).keys()] : [];
  const times = members.map((pid) => secondsOf(proc, pid)).filter((one) => one !== null);
  return {
    memoryBytes: instance.rssBytes,
    cpuSeconds: times.length === 0 ? null : times.reduce((sum, one) => sum + one, 0),
    restarts: null,
  };
}

/** Of a machine elsewhere in clock ticks: finer counters are a file for each thread. */
function secondsOf(proc: Procfs, pid: number): number | null {
  if (typeof proc !== 'string') return readUsage(proc, pid)?.cpuSeconds ?? null;
  const nanoseconds = cpuNanoseconds(proc, pid);
  return nanoseconds === null ? null : nanoseconds / 1e9;
}
