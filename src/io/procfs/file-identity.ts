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
  const place = `${proc}/${process.pid}/root${resolve(process.cwd ?? '/', path)}`;
  const found = await files.stat(place).catch(() => null);
  return found?.isFile ? { id: found.id, bytes: found.size } : null;
}
