import { baseName, unwrap } from '../domain/command-line/unwrap.ts';
import type {
  Listener,
  ProcessEntry,
  ProcessFacts,
  ProcessTable,
  Recognized,
} from '../domain/process-facts.ts';
import { ancestorsOf, descendantsOf, indexChildren } from '../domain/process-tree.ts';

/** A model server as the process list shows it: the process, all that it started, and where it listens. */
export interface FoundServer {
  readonly entry: ProcessEntry;
  readonly recognized: Recognized;
  /** Servers and workers below it that are known for themselves. */
  readonly children: readonly { entry: ProcessEntry; recognized: Recognized }[];
  /** The process and everything below it. */
  readonly family: readonly ProcessEntry[];
  readonly listeners: readonly Listener[];
}

/**
 * Every model server, each once: workers, runners and what a proxy or router started are folded under the
 * server that started them, and a shell or `timeout` that waits for a server is left out for the server itself.
 */
export function findServers(
  table: ProcessTable,
  listeners: readonly Listener[],
  recognize: (facts: ProcessFacts) => Recognized | null,
): FoundServer[] {
  const index = indexChildren(table);
  const known = new Map<number, Recognized>();
  for (const entry of table.processes.values()) {
    const recognized = recognize(entry);
    if (recognized) known.set(entry.pid, recognized);
  }
  for (const pid of known.keys()) {
    const entry = table.processes.get(pid);
    const below = descendantsOf(pid, index);
    if (entry && waits(entry) && !standsForItself(below, known, listeners)) known.delete(pid);
  }
  const tops = [...known].flatMap(([pid, recognized]) => {
    const entry = table.processes.get(pid);
    return entry && !ancestorsOf(entry, table).some((above) => known.has(above.pid))
      ? [{ entry, recognized }]
      : [];
  });
  const listening = new Set(listeners.flatMap((listener) => listener.pids));
  const strays = new Map(
    tops.flatMap((one) => {
      const server = strayOf(one, tops) ?? firstRank(one, tops, { table, listening });
      return server === null ? [] : [[one.entry.pid, server] as const];
    }),
  );
  const roots = tops.filter(({ entry }) => !strays.has(entry.pid));
  return roots.map(({ entry, recognized }) => {
    const own = [
      entry,
      ...tops.flatMap((one) => (strays.get(one.entry.pid) === entry.pid ? [one.entry] : [])),
    ];
    const below = own.flatMap((one) => [...(one === entry ? [] : [one]), ...descendantsOf(one.pid, index)]);
    const children = below.flatMap((child) => {
      const own = known.get(child.pid);
      return own ? [{ entry: child, recognized: own }] : [];
    });
    return {
      entry,
      recognized,
      children,
      family: [entry, ...below],
      listeners: listenersOf({ entry, recognized }, below, listeners),
    };
  });
}

interface Top {
  readonly entry: ProcessEntry;
  readonly recognized: Recognized;
}

/** A worker that another process started (Ray), or that has lost its parent, belongs to the one server of its kind in its control group. */
function strayOf({ entry, recognized }: Top, tops: readonly Top[]): number | null {
  if (!recognized.child || entry.cgroup === null) return null;
  const servers = tops.filter(
    (one) =>
      !one.recognized.child &&
      one.recognized.engine === recognized.engine &&
      one.entry.cgroup === entry.cgroup,
  );
  const [server, another] = servers;
  return server && !another ? server.entry.pid : null;
}

const launchers =
  /^(torchrun|torch\.distributed\.(run|launch)|mpirun|mpiexec(\.\w+)?|orterun|srun|slurmstepd|deepspeed)$/;

/** What `torchrun` or `mpirun` starts several times by one command line is one server: the one of them that listens. */
function firstRank(
  { entry, recognized }: Top,
  tops: readonly Top[],
  { table, listening }: { table: ProcessTable; listening: ReadonlySet<number> },
): number | null {
  const words = table.processes.get(entry.ppid)?.argv ?? [];
  // "slurmstepd: [17.0]" has given itself a title.
  if (!words.some((word) => launchers.test(baseName(word.replace(/:\s.*$/, ''))))) return null;
  const ranks = tops
    .filter((one) => one.entry.ppid === entry.ppid && areOne(one, { entry, recognized }))
    .map((one) => one.entry);
  const first = ranks.find(({ pid }) => listening.has(pid)) ?? ranks[0];
  return first === undefined || first.pid === entry.pid ? null : first.pid;
}

/** By their words, and by what their variables make of those. */
function areOne(a: Top, b: Top): boolean {
  const [one, other] = [a.recognized, b.recognized];
  return (
    commandOf(a.entry) === commandOf(b.entry) &&
    one.host === other.host &&
    one.port === other.port &&
    one.model === other.model
  );
}

function commandOf({ argv }: ProcessEntry): string {
  return argv.filter((word) => !/^--local[-_]rank=/.test(word)).join('\0');
}

function waits(entry: ProcessEntry): boolean {
  return unwrap(entry.argv).some((command) => command.waits);
}

/** A waiting wrapper is kept only when no server is known below it, yet something below it listens. */
function standsForItself(
  below: readonly ProcessEntry[],
  known: ReadonlyMap<number, Recognized>,
  listeners: readonly Listener[],
): boolean {
  if (below.some((entry) => known.has(entry.pid))) return false;
  return below.some((entry) => listeners.some((listener) => listener.pids.includes(entry.pid)));
}

/** Its own sockets; where it has none (TGI's launcher) those of what it started. */
function listenersOf(
  server: { entry: ProcessEntry; recognized: Recognized },
  below: readonly ProcessEntry[],
  listeners: readonly Listener[],
): Listener[] {
  const { entry } = server;
  if (entry.netns === null) return hiddenListenersOf(server, listeners);
  const own = listeners.filter((listener) => listener.pids.includes(entry.pid));
  const pids = new Set(below.map((child) => child.pid));
  const theirs = listeners.filter((listener) => listener.pids.some((pid) => pids.has(pid)));
  const { port } = server.recognized;
  const named = port === null ? [] : theirs.filter((listener) => listener.port === port);
  // What it holds itself may be a door for its workers, which hold the one for clients.
  if (own.some((listener) => listener.port === port) || named.length === 0)
    return own.length > 0 ? own : theirs;
  return named;
}

/**
 * Another user's sockets name no process, but they name the user: those on the port that the command line asks
 * for, or, where it asks for none, all of a user that is not root (a service has a user of its own).
 */
function hiddenListenersOf(
  { entry, recognized }: { entry: ProcessEntry; recognized: Recognized },
  listeners: readonly Listener[],
): Listener[] {
  const hidden = listeners.filter((listener) => listener.pids.length === 0 && listener.uid === entry.uid);
  if (recognized.port !== null) return hidden.filter((listener) => listener.port === recognized.port);
  return entry.uid === 0 ? [] : hidden;
}
