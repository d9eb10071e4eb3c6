import type { ProcessEntry, ProcessTable } from '../../domain/process-facts.ts';

/** Whole ids in the path of a control group; podman's watcher over a container has a group beside it by the same id. */
const ids = /(?<!conmon-)[0-9a-f]{64}(?![0-9a-f])/g;

/**
 * Processes by the whole id of the container that they are in, those of containers within it included. A daemon in a virtual machine
 * has none that are seen here. Pure.
 */
export function processesByContainer(table: ProcessTable): ReadonlyMap<string, readonly ProcessEntry[]> {
  const found = new Map<string, ProcessEntry[]>();
  for (const entry of table.processes.values())
    for (const id of new Set(entry.cgroup?.match(ids))) {
      const others = found.get(id);
      if (others) others.push(entry);
      else found.set(id, [entry]);
    }
  return found;
}

/** Null where none of them tells. */
export function residentBytes(processes: readonly ProcessEntry[]): number | null {
  const known = processes.flatMap(({ rssBytes }) => rssBytes ?? []);
  return known.length === 0 ? null : known.reduce((total, one) => total + one, 0);
}
