import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

/** What may be written below a folder; the folder itself need not be there yet. */
export async function freeBytes(path: string): Promise<number> {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await fs.statfs(at);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) throw error;
    }
  }
}

/** Gives a file that is whole its name; the file that has the name already is as good. */
export async function moveInto(from: string, to: string): Promise<void> {
  await fs.mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await fs.rename(from, to);
}

/** A second name for a file: a hard link, so that what is mounted or copied is the file itself; else a symbolic one. */
export async function linkAs(file: string, name: string): Promise<void> {
  await fs.mkdir(dirname(name), { recursive: true, mode: 0o755 });
  await fs.rm(name, { force: true });
  await fs.link(file, name).catch(() => fs.symlink(file, name));
}

/** Bytes that a file takes on the disk, which for one on its way are fewer than its length. */
export async function takenBytes(path: string): Promise<number> {
  const found = await fs.stat(path).catch(() => null);
  return found === null ? 0 : found.blocks * 512;
}

/** Made with its parents, so that others can read what is put into it. */
export async function makeFolder(path: string): Promise<void> {
  await fs.mkdir(path, { recursive: true, mode: 0o755 });
}

/** Gives a file a name elsewhere on its disk, at once in place of what has that name; a copy where the disk knows no second names. */
export async function putAs(file: string, name: string): Promise<void> {
  await makeFolder(dirname(name));
  const next = `${name}.berth-new`;
  await fs.rm(next, { force: true });
  await fs.link(file, next).catch(() => fs.copyFile(file, next));
  await fs.rename(next, name);
  // Two names of one file are left as they are by a rename.
  await fs.rm(next, { force: true });
}
