import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The least that a scan can do: reads, of every process, the files that a scan reads, and the sockets of every network
 * namespace, and makes nothing of them. Gives how many processes it saw.
 */
export function readFloor(proc: string): number {
  const namespaces = new Set<string>();
  let seen = 0;
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    const folder = `${proc}/${pid}`;
    for (const name of ['stat', 'status', 'cmdline', 'environ', 'cgroup'])
      attempt(() => readFileSync(`${folder}/${name}`, 'utf8'));
    for (const name of ['exe', 'cwd', 'ns/pid']) attempt(() => readlinkSync(`${folder}/${name}`));
    const netns = attempt(() => readlinkSync(`${folder}/ns/net`));
    if (netns !== null && !namespaces.has(netns)) {
      namespaces.add(netns);
      for (const name of ['tcp', 'tcp6']) attempt(() => readFileSync(`${folder}/net/${name}`, 'utf8'));
    }
    for (const fd of attempt(() => readdirSync(`${folder}/fd`)) ?? [])
      attempt(() => readlinkSync(`${folder}/fd/${fd}`));
    seen += 1;
  }
  return seen;
}

/** Null when the process is gone or rights hide it. */
function attempt<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
