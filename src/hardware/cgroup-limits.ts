import { join } from 'node:path/posix';
import type { World } from '../io/world.ts';

export interface CgroupLimits {
  readonly quotaCores: number | null;
  readonly memoryBytes: number | null;
  /** Processes of this very group that the kernel has ended for memory; null where it does not count. */
  readonly memoryKills: number | null;
}

/** v1 says "no limit" by a number near 2^63. */
const endless = 2 ** 60;

/**
 * The tightest CPU and memory limits over the control group of a process and all groups above it: version 2,
 * version 1, and both side by side (hybrid), where a controller counts only in the hierarchy that lists it.
 * Inside a container the path may be that of the host; then the root of what is mounted holds the limits.
 */
export async function readCgroupLimits(
  world: World,
  options: { cgroup: string; sys: string },
): Promise<CgroupLimits> {
  const root = join(options.sys, 'fs/cgroup');
  const groups = parseCgroups(options.cgroup);
  return {
    quotaCores: await tightest(world, groups, { root, ...cpuFiles }),
    memoryBytes: await tightest(world, groups, { root, ...memoryFiles }),
    memoryKills: await memoryKills(world, groups, root),
  };
}

/** Version 2 alone tells; the root group has no such file. */
async function memoryKills(world: World, groups: readonly Group[], root: string): Promise<number | null> {
  const path = groups.find((group) => group.controllers.join('') === '')?.path;
  const text = path === undefined ? null : await readText(world, join(root, path, 'memory.events'));
  const count = /^oom_kill (\d+)$/m.exec(text ?? '')?.[1];
  return count === undefined ? null : Number(count);
}

/** One line of /proc/PID/cgroup each: version 1 names its controllers, version 2 none. */
interface Group {
  readonly controllers: readonly string[];
  readonly path: string;
}

export function parseCgroups(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, ...path] = line.split(':');
    return controllers === undefined ? [] : [{ controllers: controllers.split(','), path: path.join(':') }];
  });
}

interface LimitFiles {
  readonly controller: string;
  readonly v2: string;
  readonly v1: readonly string[];
  readonly parse: (texts: readonly string[]) => number | null;
}

const cpuFiles: LimitFiles = {
  controller: 'cpu',
  v2: 'cpu.max',
  v1: ['cpu.cfs_quota_us', 'cpu.cfs_period_us'],
  parse: (texts) => {
    const [quota = NaN, period = NaN] = texts.join(' ').trim().split(/\s+/).map(Number);
    return quota > 0 && period > 0 ? quota / period : null;
  },
};

const memoryFiles: LimitFiles = {
  controller: 'memory',
  v2: 'memory.max',
  v1: ['memory.limit_in_bytes'],
  parse: (texts) => {
    const limit = Number(texts[0]?.trim() || NaN);
    return limit > 0 && limit < endless ? limit : null;
  },
};

async function tightest(
  world: World,
  groups: readonly Group[],
  files: LimitFiles & { root: string },
): Promise<number | null> {
  const v1 = groups.find((group) => group.controllers.includes(files.controller));
  const path = v1?.path ?? groups.find((group) => group.controllers.join('') === '')?.path ?? '/';
  const mount = v1 ? join(files.root, v1.controllers.join(',')) : files.root;
  const mounts = v1 ? [mount, join(files.root, files.controller)] : [mount];
  const names = v1 ? files.v1 : [files.v2];
  const found: number[] = [];
  for (const folder of mounts.flatMap((top) => upwards(path).map((part) => join(top, part)))) {
    const texts = await Promise.all(names.map((name) => readText(world, join(folder, name))));
    const limit = texts.includes(null) ? null : files.parse(texts as string[]);
    if (limit !== null) found.push(limit);
  }
  return found.length === 0 ? null : Math.min(...found);
}

/** "/a/b" gives "/a/b", "/a" and "/". */
function upwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, i) => `/${parts.slice(0, parts.length - i).join('/')}`);
}

async function readText(world: World, path: string): Promise<string | null> {
  try {
    return await world.files.read(path);
  } catch {
    return null;
  }
}
