import type { Mark } from '../../domain/instance.ts';
import type { Instance, ObjectId, ProcessId } from '../../domain/instance.ts';
import type { Listener, ProcessEntry, ProcessTable } from '../../domain/process-facts.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import { unbelieved } from '../../domain/unbelieved-mark.ts';
import { readOwnPidns, readProcessTable } from '../../io/procfs.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import type { World } from '../../io/world.ts';
import { adoptedProcesses } from './mark-files.ts';
import { writtenMarks } from './written-marks.ts';

/** Environment variable that carries the mark, as JSON. */
export const markVariable = 'BERTH_MARK';

/**
 * All marked processes, one instance for each engine: what an engine starts itself inherits the mark and belongs to it. Those in
 * another namespace of processes are of another machine, such as a container that berth works for by ssh.
 */
export async function markedProcesses(world: World): Promise<Instance[]> {
  const proc = await world.procfs();
  const table = readProcessTable(proc);
  const own = readOwnPidns(proc);
  // Read after the processes: what had its mark by then is recorded by now.
  const isWritten = await writtenMarks(world);
  const started = [...table.processes.values()]
    .filter((entry) => entry.pidns === null || own === null || entry.pidns === own)
    .filter((entry) => isLeader(entry, table))
    .map((entry) => {
      const text = entry.env?.[markVariable] ?? '';
      const mark = parseMark(text);
      return { entry, mark: mark && (isWritten(text) ? mark : unbelieved(mark, entry.uid)) };
    });
  const found = [...started, ...(await adoptedProcesses(world, table))];
  if (found.length === 0) return [];
  const listeners = readListeners(proc, table);
  return found.flatMap(({ entry, mark }) => (mark ? [toInstance(entry, mark, { table, listeners })] : []));
}

/** Marked, and not started by a process with the very same mark. When that one is gone, its children stand for themselves. */
function isLeader(entry: ProcessEntry, table: ProcessTable): boolean {
  const text = entry.env?.[markVariable];
  return text !== undefined && table.processes.get(entry.ppid)?.env?.[markVariable] !== text;
}

export function toInstance(
  entry: ProcessEntry,
  mark: Mark,
  seen: { table: ProcessTable; listeners: readonly Listener[] },
): Instance {
  const group = membersOf(entry, seen.table);
  const process = { bootId: seen.table.bootId, pid: entry.pid, startTicks: entry.startTicks };
  return {
    host: 'local',
    object: objectOf(process),
    alive: true,
    trouble: null,
    process,
    engine: mark.spec.engine,
    model: mark.spec.model,
    owner: { kind: 'berth', name: `${mark.fleet}/${mark.deployment}`, user: null },
    endpoints: seen.listeners
      .filter((listener) => listener.pids.some((pid) => group.has(pid)))
      .map(({ address, port, netns }) => ({ address, port, netns })),
    rssBytes: sumRss([...group.values()]),
    startedAt: new Date(entry.startedAt).toISOString(),
    mark,
  };
}

function objectOf({ bootId, pid, startTicks }: ProcessId): ObjectId {
  return { target: 'process', id: `${bootId}/${pid}/${startTicks}`, name: `process ${pid}` };
}

/** The process and everything else in its group, or with its mark below it; of an adopted one, whose group is its shell's, what it started. */
export function membersOf(leader: ProcessEntry, table: ProcessTable): Map<number, ProcessEntry> {
  const text = leader.env?.[markVariable];
  const members = new Map([[leader.pid, leader]]);
  for (const entry of table.processes.values()) {
    if (text === undefined) {
      if (hasAncestor(entry, leader.pid, table)) members.set(entry.pid, entry);
      continue;
    }
    const same = entry.pgid === leader.pgid || hasAncestor(entry, leader.pid, table);
    if (same && entry.env?.[markVariable] === text) members.set(entry.pid, entry);
  }
  return members;
}

function hasAncestor(entry: ProcessEntry, pid: number, table: ProcessTable): boolean {
  let here: ProcessEntry | undefined = entry;
  for (let depth = 0; here && depth < 64; depth += 1) {
    if (here.ppid === pid) return true;
    here = table.processes.get(here.ppid);
  }
  return false;
}

/** Resident memory of all of them; memory that they share is counted for each. */
function sumRss(entries: readonly ProcessEntry[]): number | null {
  const known = entries.map((entry) => entry.rssBytes).filter((bytes) => bytes !== null);
  return known.length === 0 ? null : known.reduce((sum, bytes) => sum + bytes, 0);
}
