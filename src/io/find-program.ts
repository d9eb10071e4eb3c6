import { isAbsolute, join } from 'node:path';
import type { World } from './world.ts';

/** The absolute path of a program that is named by path or to be found on PATH; null when it is not there. */
export async function findProgram(world: World, binary: string): Promise<string | null> {
  const places = binary.includes('/')
    ? [binary]
    : (world.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':').map((folder) => join(folder, binary));
  for (const path of places.filter(isAbsolute)) {
    // A folder of PATH that rights hide has nothing that this user could run.
    const found = await world.files.stat(path).catch(() => null);
    if (found?.isFile) return path;
  }
  return null;
}
