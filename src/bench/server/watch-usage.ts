import type { ProcessSample } from '../../domain/run/server-sample.ts';
import { readUsage } from '../../io/procfs/usage.ts';
import { familyOf } from './find-process.ts';

/** Looking for new children reads all of /proc; figures of known ones do not. */
const readingsPerLook = 10;

/**
 * Reads what a process and all below it use. Processor time of a child that ended between two readings is lost with it.
 * Null when the process is gone.
 */
export function createUsageReader(proc: string, pid: number): () => ProcessSample | null {
  let family: number[] = [];
  let readings = 0;
  return () => {
    if (readings % readingsPerLook === 0) family = familyOf(proc, pid);
    readings += 1;
    const found = family.flatMap((each) => readUsage(proc, each) ?? []);
    if (found.length === 0) return null;
    return {
      processes: found.length,
      cpuSeconds: sum(found.map(({ cpuSeconds }) => cpuSeconds)),
      rssBytes: sum(found.map(({ rssBytes }) => rssBytes)),
    };
  };
}

/** Null when one is: a sum with a hole is none. */
function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (all, value) => (all === null || value === null ? null : all + value),
    0,
  );
}
