import { resolve } from 'node:path/posix';
import type { World } from '../world.ts';

/**
 * Names a file that a process opens, whatever it is called where the process lives: device and inode, so that
 * links, mounts into containers and relative paths all come to the same. Null when there is none, or rights hide it.
 */
export async function fileIdentity(
  { files, proc }: Pick<World, 'files' | 'proc'>,
  process: { pid: number | 'self'; cwd: string | null },
  path: string,
): Promise<{ id: string; bytes: number } | null> {
  const found = await files.stat(placeOf(proc, process, path)).catch(() => null);
  return found?.isFile ? { id: found.id, bytes: found.size } : null;
}

/** Names a folder likewise, with what lies in it. */
export async function folderIdentity(
  { files, proc }: Pick<World, 'files' | 'proc'>,
  process: { pid: number | 'self'; cwd: string | null },
  path: string,
): Promise<{ id: string; names: string[] } | null> {
  const place = placeOf(proc, process, path);
  const found = await files.stat(place).catch(() => null);
  if (!found || found.isFile) return null;
  return { id: found.id, names: await files.list(place).catch(() => []) };
}

function placeOf(
  proc: string,
  { pid, cwd }: { pid: number | 'self'; cwd: string | null },
  path: string,
): string {
  return `${proc}/${pid}/root${resolve(cwd ?? '/', path)}`;
}
