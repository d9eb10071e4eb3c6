import { dirname, isAbsolute } from 'node:path/posix';
import type { World } from './world.ts';

/** Whether every user of the machine can read a file; `root` is where its own machine begins. */
export async function isOpen({ files }: Pick<World, 'files'>, root: string, path: string): Promise<boolean> {
  if (!isAbsolute(path)) return false;
  const found = await files.stat(`${root}${path}`).catch(() => null);
  if (!found?.isFile || !((found.mode ?? 0) & 0o004)) return false;
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const above = await files.stat(`${root}${folder}`).catch(() => null);
    if (!above || !((above.mode ?? 0) & 0o001)) return false;
  }
  return true;
}
