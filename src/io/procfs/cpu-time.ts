import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Processor time of all threads of a process so far, in nanoseconds (the first field of `schedstat`: the clock ticks of
 * `stat` are too coarse for a few thousand events). Null where it cannot be read. Time of threads that have ended is
 * not in it.
 */
export function cpuNanoseconds(proc: string, pid: number): number | null {
  try {
    const threads = readdirSync(join(proc, String(pid), 'task'));
    return threads.reduce((sum, thread) => {
      const text = readFileSync(join(proc, String(pid), 'task', thread, 'schedstat'), 'utf8');
      return sum + Number(text.split(' ')[0]);
    }, 0);
  } catch {
    return null;
  }
}
