import type { ProcessTable } from '../../domain/process-facts.ts';

/** A process and everything below it, by pid; it is the first, whether it is in the table or not. */
export function familyIn({ processes }: Pick<ProcessTable, 'processes'>, pid: number): number[] {
  const family = [pid];
  for (const parent of family)
    for (const entry of processes.values())
      if (entry.ppid === parent && !family.includes(entry.pid)) family.push(entry.pid);
  return family;
}
