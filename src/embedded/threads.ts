import type { Files } from '../io/files.ts';

/**
 * Compute threads where none were asked for: one less than the physical cores, so that the event loop and everything
 * else have one, and never more than the CPU quota. The library's threads meet by spinning: with as many threads as
 * cores any other busy process makes all of them wait, which costs far more than a core.
 */
export function threadsFor(machine: { cores: number; quota: number | null }): number {
  const quota = machine.quota === null ? Infinity : Math.floor(machine.quota);
  return Math.max(1, Math.min(machine.cores - 1, quota));
}

/** Physical cores in the text of /proc/cpuinfo: distinct pairs of package and core; else the processors listed. */
export function physicalCores(cpuinfo: string): number {
  const cores = new Set<string>();
  let processors = 0;
  let socket = '';
  for (const line of cpuinfo.split('\n')) {
    const [name, value = ''] = line.split(':').map((part) => part.trim());
    if (name === 'processor') processors += 1;
    if (name === 'physical id') socket = value;
    if (name === 'core id') cores.add(`${socket}/${value}`);
  }
  return Math.max(1, cores.size || processors);
}

/** CPUs' worth of time that `cpu.max` of cgroup v2 grants; null for no limit. */
export function cpuQuota(cpuMax: string): number | null {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period && quota > 0 ? quota / period : null;
}

/** The quota of the group this process is in and of every group above; the least counts. */
async function quotaOf(files: Files, proc: string): Promise<number | null> {
  const path = (await files.read(`${proc}/self/cgroup`))?.match(/^0::(.*)$/m)?.[1] ?? '/';
  const parts = path.split('/').filter(Boolean);
  let least: number | null = null;
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const text = await files.read(['/sys/fs/cgroup', ...parts.slice(0, depth), 'cpu.max'].join('/'));
    const quota = text === null ? null : cpuQuota(text);
    if (quota !== null) least = Math.min(least ?? Infinity, quota);
  }
  return least;
}

export async function defaultThreads(files: Files, proc: string): Promise<number> {
  const cores = physicalCores((await files.read(`${proc}/cpuinfo`)) ?? '');
  return threadsFor({ cores, quota: await quotaOf(files, proc) });
}
