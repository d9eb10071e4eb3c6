import type { Instance } from '../../domain/instance.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import { cpuNanoseconds } from '../../io/procfs/cpu-time.ts';
import type { World } from '../../io/world.ts';
import type { Usage } from '../contract.ts';
import { membersOf } from './marks.ts';

/** The very process that was observed, not a later one of the same pid. */
export function entryOf(world: World, { process: id }: Instance): ProcessEntry | null {
  if (!id || id.bootId !== readBootId(world.proc)) return null;
  const entry = readProcess(world.proc, id.pid);
  return entry?.startTicks === id.startTicks ? entry : null;
}

export function isAlive(world: World, instance: Instance): Promise<boolean> {
  return Promise.resolve(entryOf(world, instance) !== null);
}

/** Of the process and all that it started. Nobody counts how often it was started again. */
export function usage(world: World, instance: Instance): Promise<Usage> {
  const leader = entryOf(world, instance);
  const members = leader ? [...membersOf(leader, readProcessTable(world.proc)).keys()] : [];
  const times = members.map((pid) => cpuNanoseconds(world.proc, pid)).filter((one) => one !== null);
  return Promise.resolve({
    memoryBytes: instance.rssBytes,
    cpuSeconds: times.length === 0 ? null : times.reduce((sum, one) => sum + one, 0) / 1e9,
    restarts: null,
  });
}
