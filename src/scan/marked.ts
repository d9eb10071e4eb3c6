import { descendantsOf, indexChildren } from '../domain/process-tree.ts';
import type { FoundServer } from './find-servers.ts';
import type { Seen } from './seen.ts';

/** Adds marked servers that no engine recognises: any program may be run by a fleet. */
export function addMarked(found: readonly FoundServer[], seen: Seen): FoundServer[] {
  const known = new Set(found.flatMap((server) => server.family.map((entry) => entry.pid)));
  const index = indexChildren(seen.table);
  const added = seen.marks.flatMap((instance): FoundServer[] => {
    const entry = seen.table.processes.get(instance.process?.pid ?? -1);
    if (!entry || !instance.mark || known.has(entry.pid)) return [];
    const below = descendantsOf(entry.pid, index);
    // A wrapper of the fleet's own around a server that is recognised stands for that server.
    if (below.some((child) => known.has(child.pid))) return [];
    const family = [entry, ...below];
    const pids = new Set(family.map((member) => member.pid));
    return [
      {
        entry,
        recognized: {
          engine: instance.engine,
          model: instance.model,
          host: null,
          port: null,
          options: {},
          child: false,
        },
        children: [],
        family,
        listeners: seen.listeners.filter((listener) => listener.pids.some((pid) => pids.has(pid))),
      },
    ];
  });
  return [...found, ...added];
}
