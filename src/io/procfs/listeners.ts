import type { Listener, ProcessTable } from '../../domain/process-facts.ts';
import { parseListening } from './parse.ts';
import { readOwnNetns } from '../procfs.ts';
import { listNames, readLink, readText } from './read.ts';
import type { Procfs } from './read.ts';

interface OpenSocket {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
  readonly netns: string;
}

/**
 * Every listening TCP socket of every network namespace that a visible process lives in. The same port in two
 * namespaces is two listeners: they do not meet. The kernel shows sockets per namespace, so one process of each is asked.
 */
export function readListeners(proc: Procfs, table: ProcessTable): readonly Listener[] {
  if (typeof proc === 'string') return readSockets(proc, table);
  const known = ofTables.get(table);
  if (known) return known;
  const listeners = readSockets(proc, table);
  ofTables.set(table, listeners);
  return listeners;
}

/** Of tables that were made of a snapshot, which does not change. */
const ofTables = new WeakMap<ProcessTable, readonly Listener[]>();

function readSockets(proc: Procfs, table: ProcessTable): Listener[] {
  const sockets = [...namespacePaths(proc, table)].flatMap(([netns, path]) => openSockets(proc, path, netns));
  const holders = holdersOf(proc, table, new Set(sockets.map((socket) => socket.inode)));
  return sockets.map(({ inode, ...socket }) => ({ ...socket, pids: holders.get(inode) ?? [] }));
}

function openSockets(proc: Procfs, path: string, netns: string): OpenSocket[] {
  return ['tcp', 'tcp6'].flatMap((name) =>
    parseListening(readText(proc, `${path}/${name}`) ?? '').map((row) => ({ ...row, netns })),
  );
}

/** Our own namespace is readable whatever the rights; each other one through a process that lives in it. */
function namespacePaths(proc: Procfs, table: ProcessTable): Map<string, string> {
  const paths = new Map([[readOwnNetns(proc), 'self/net']]);
  for (const entry of table.processes.values()) {
    if (entry.netns !== null && !paths.has(entry.netns)) paths.set(entry.netns, `${entry.pid}/net`);
  }
  return paths;
}

/** Inode of a socket to the processes that hold it open (several after a fork). */
function holdersOf(proc: Procfs, table: ProcessTable, wanted: ReadonlySet<string>): Map<string, number[]> {
  const holders = new Map<string, number[]>();
  for (const { pid } of table.processes.values()) {
    const own = new Set<string>();
    for (const name of listNames(proc, `${pid}/fd`)) {
      const link = readLink(proc, `${pid}/fd/${name}`);
      const inode = link?.startsWith('socket:[') ? link.slice(8, -1) : '';
      if (wanted.has(inode)) own.add(inode);
    }
    for (const inode of own) holders.set(inode, [...(holders.get(inode) ?? []), pid]);
  }
  return holders;
}
