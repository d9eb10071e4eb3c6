import { statSync } from 'node:fs';
import { resolve } from 'node:path/posix';

/**
 * Names a file that a process opens, whatever it is called where the process lives: device and inode, so that
 * links, mounts into containers and relative paths all come to the same. Null when there is none, or rights hide it.
 */
export function fileIdentity(
  proc: string,
  process: { pid: number | 'self'; cwd: string | null },
  path: string,
): { id: string; bytes: number } | null {
  try {
    const found = statSync(`${proc}/${process.pid}/root${resolve(process.cwd ?? '/', path)}`, {
      bigint: true,
    });
    return found.isFile() ? { id: `${found.dev}:${found.ino}`, bytes: Number(found.size) } : null;
  } catch {
    return null;
  }
}
