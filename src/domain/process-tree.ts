import type { ProcessEntry, ProcessTable } from './process-facts.ts';

/** Processes above one, nearest first. */
export function ancestorsOf(entry: ProcessEntry, table: Pick<ProcessTable, 'processes'>): ProcessEntry[] {
  const ancestors: ProcessEntry[] = [];
  let above = table.processes.get(entry.ppid);
  while (above && !ancestors.includes(above)) {
    ancestors.push(above);
    above = table.processes.get(above.ppid);
  }
  return ancestors;
}

export type ChildIndex = ReadonlyMap<number, readonly ProcessEntry[]>;

export function indexChildren(table: ProcessTable): ChildIndex {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table.processes.values()) {
    const siblings = children.get(entry.ppid);
    if (siblings) siblings.push(entry);
    else children.set(entry.ppid, [entry]);
  }
  return children;
}

/** Everything a process started, at any depth, without itself. */
export function descendantsOf(pid: number, index: ChildIndex): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  const seen = new Set([pid]);
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of index.get(next) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      found.push(child);
      open.push(child.pid);
    }
  }
  return found;
}
