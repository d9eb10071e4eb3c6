import { parseStatus } from './parse.ts';
import { readText } from './read.ts';
import type { Procfs } from './read.ts';

/** Ticks per second in /proc; a constant of the interface on every architecture that berth runs on. */
const ticksPerSecond = 100;

/** Processor time so far, threads that have ended included, and resident memory; null when the process is gone. */
export function readUsage(
  proc: Procfs,
  pid: number,
): { cpuSeconds: number | null; rssBytes: number | null } | null {
  const stat = readText(proc, `${pid}/stat`);
  if (stat === null) return null;
  // The name may hold blanks and brackets, so fields count from its last bracket: utime and stime are 14 and 15 of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const { rssBytes } = parseStatus(readText(proc, `${pid}/status`) ?? '');
  return { cpuSeconds: Number.isFinite(ticks) ? ticks / ticksPerSecond : null, rssBytes };
}
