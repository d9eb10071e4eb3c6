import { basename } from 'node:path';
import { isLoopback } from '../../domain/loopback.ts';
import { readAddresses } from '../../io/procfs/addresses.ts';
import { familyIn } from '../../io/procfs/family.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import { readProcessTable } from '../../io/procfs.ts';

/** Programs of this machine that listen in the name of a server: their own use of the machine says nothing of it. */
const doors = ['docker-proxy', 'rootlessport', 'nginx', 'haproxy', 'envoy', 'caddy'];
/** The same, with the server on another machine. */
const tunnels = ['ssh', 'sshd', 'kubectl', 'socat'];

export interface EngineProcess {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly cwd: string | null;
}

/**
 * Who listens where a URL leads. `local`: on this machine, so its processor and GPUs are the server's; `process`: the one
 * that listens, null where rights hide it or something stands in front of it.
 */
export function findEngine(proc: string, url: string): { local: boolean; process: EngineProcess | null } {
  const { hostname, port, protocol } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  if (!isLoopback(address) && !readAddresses(proc, process.pid).has(address))
    return { local: false, process: null };
  const wanted = Number(port || (protocol === 'https:' ? 443 : 80));
  const table = readProcessTable(proc);
  const own = table.processes.get(process.pid)?.netns ?? null;
  const entries = readListeners(proc, table)
    .filter((listener) => listener.port === wanted && (own === null || listener.netns === own))
    .flatMap((listener) => listener.pids)
    .flatMap((pid) => table.processes.get(pid) ?? []);
  const [entry] = entries;
  const name = basename(entry?.argv[0] ?? '');
  if (!entry || doors.includes(name)) return { local: true, process: null };
  if (tunnels.includes(name)) return { local: false, process: null };
  return { local: true, process: { pid: entry.pid, argv: entry.argv, cwd: entry.cwd } };
}

/** A process and everything below it. */
export function familyOf(proc: string, pid: number): number[] {
  return familyIn(readProcessTable(proc), pid);
}
