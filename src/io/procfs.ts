import type { ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import { parseEnviron, parseNulList, parseStat, parseStatus } from './procfs/parse.ts';
import { listNames, readLink, readText } from './procfs/read.ts';
import type { ProcSnapshot, Procfs } from './procfs/read.ts';

/** Ticks per second in /proc; a constant of the interface on every architecture that berth runs on. */
const ticksPerSecond = 100;

/**
 * Every process that rights let us see, of `proc` (World.procfs). Reads synchronously: procfs answers from
 * memory, and 100 processes take about 20 ms, a third of the asynchronous way.
 */
export function readProcessTable(proc: Procfs): ProcessTable {
  if (typeof proc === 'string') return readAll(proc);
  const known = tables.get(proc);
  if (known) return known;
  const table = readAll(proc);
  tables.set(proc, table);
  return table;
}

/** Of snapshots, which do not change. */
const tables = new WeakMap<ProcSnapshot, ProcessTable>();

function readAll(proc: Procfs): ProcessTable {
  const bootTime = readBootTime(proc);
  const processes = new Map<number, ProcessEntry>();
  const hidden = { commandLines: 0, details: 0, others: hidesOthers(proc) };
  for (const name of listNames(proc, '')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const entry = readEntry(proc, pid, bootTime);
    if (!entry) continue;
    processes.set(pid, entry);
    if (entry.argv.length === 0) hidden.commandLines += 1;
    if (entry.netns === null) hidden.details += 1;
  }
  return { bootId: readBootId(proc), processes, hidden };
}

/** One process; null when there is none of this pid, or only a zombie. */
export function readProcess(proc: Procfs, pid: number): ProcessEntry | null {
  return readEntry(proc, pid, readBootTime(proc));
}

export function readBootId(proc: Procfs): string {
  return readText(proc, 'sys/kernel/random/boot_id')?.trim() ?? 'unknown';
}

/** Seconds since 1970 at boot. */
function readBootTime(proc: Procfs): number {
  return Number(/^btime (\d+)/m.exec(readText(proc, 'stat') ?? '')?.[1] ?? 0);
}

function readEntry(proc: Procfs, pid: number, bootTime: number): ProcessEntry | null {
  const folder = String(pid);
  const stat = parseStat(readText(proc, `${folder}/stat`) ?? '');
  if (!stat || stat.kernelThread || stat.state === 'X') return null;
  // Its first thread is a zombie already while others still end: until the last has, its ports are held.
  if (stat.state === 'Z' && !(stat.threads > 1)) return null;
  const status = parseStatus(readText(proc, `${folder}/status`) ?? '');
  const environ = readText(proc, `${folder}/environ`);
  return {
    pid,
    ppid: stat.ppid,
    pgid: stat.pgid,
    argv: parseNulList(readText(proc, `${folder}/cmdline`) ?? ''),
    exe: readLink(proc, `${folder}/exe`),
    env: environ === null ? null : parseEnviron(environ),
    cwd: readLink(proc, `${folder}/cwd`),
    ...status,
    startTicks: stat.startTicks,
    startedAt: (bootTime + stat.startTicks / ticksPerSecond) * 1000,
    cgroup: readText(proc, `${folder}/cgroup`),
    netns: namespaceInode(readLink(proc, `${folder}/ns/net`)),
    pidns: namespaceInode(readLink(proc, `${folder}/ns/pid`)),
  };
}

/** Network namespace of this very program; "own" where even that is hidden. */
export function readOwnNetns(proc: Procfs): string {
  return namespaceInode(readLink(proc, 'self/ns/net')) ?? 'own';
}

/** Namespace of processes of this very program; null where that is hidden. */
export function readOwnPidns(proc: Procfs): string | null {
  return namespaceInode(readLink(proc, 'self/ns/pid'));
}

/** User that this very program runs as. */
export function readOwnUid(proc: Procfs): number {
  return parseStatus(readText(proc, 'self/status') ?? '').uid;
}

/** The digits of "net:[4026531840]". */
export function namespaceInode(link: string | null): string | null {
  return /\[(\d+)\]/.exec(link ?? '')?.[1] ?? null;
}

function hidesOthers(proc: Procfs): boolean {
  const mounts = readText(proc, 'self/mountinfo') ?? '';
  const row = mounts.split('\n').find((line) => line.includes(' - proc ') && line.split(' ')[4] === '/proc');
  return /hidepid=(2|invisible|4|ptraceable)/.test(row ?? '');
}
