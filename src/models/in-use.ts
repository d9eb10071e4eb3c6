import { listNames, readText } from '../io/procfs/read.ts';
import type { Procfs } from '../io/procfs/read.ts';

/** Those of these folders below `trees` that a process of this machine is given: by its command line, or mounted into its container. */
export function foldersInUse(proc: Procfs, folders: readonly string[]): ReadonlySet<string> {
  const used = new Set<string>();
  for (const pid of listNames(proc, '').filter((name) => /^\d+$/.test(name))) {
    const text = `${readText(proc, `${pid}/cmdline`) ?? ''}\0${readText(proc, `${pid}/mountinfo`) ?? ''}`;
    if (!text.includes('trees/')) continue;
    for (const folder of folders) if (text.includes(`trees/${folder}`)) used.add(folder);
  }
  return used;
}
