import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { nameBeside, removeLeftBehind } from './left-behind.ts';
import { writeFault } from './system-fault.ts';

export interface FileStat {
  readonly size: number;
  readonly isFile: boolean;
  readonly mtimeMs: number;
  /** Device and inode: the same for every name of one file. */
  readonly id: string;
  /** Rights, as chmod takes them; absent where they cannot be told. */
  readonly mode?: number;
}

export interface Files {
  /** Null when there is no such file; other faults reject. */
  readonly read: (path: string) => Promise<string | null>;
  /**
   * Whole or not at all: written beside the target and renamed. `mode` defaults to 0600; parents are made 0700. What writers that
   * died have left in that folder goes. Throws DISK_FULL or WRITE_DENIED, as all that changes something here.
   */
  readonly write: (path: string, content: string | Uint8Array, mode?: number) => Promise<void>;
  readonly append: (path: string, text: string) => Promise<void>;
  readonly list: (path: string) => Promise<string[]>;
  readonly stat: (path: string) => Promise<FileStat | null>;
  readonly makeDir: (path: string) => Promise<void>;
  /** No fault when it is not there. */
  readonly remove: (path: string) => Promise<void>;
  /** Removes from a folder what writers that died have left; absent where they leave nothing. */
  readonly tidy?: (path: string) => Promise<void>;
}

async function unlessMissing<T>(attempt: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return otherwise;
    throw error;
  }
}

async function write(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await changing(path, async () => {
    await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await removeLeftBehind(dirname(path));
    const beside = nameBeside(path);
    try {
      await fs.writeFile(beside, content, { mode });
      await fs.rename(beside, path);
    } catch (error) {
      await fs.rm(beside, { force: true }).catch(() => {});
      throw error;
    }
  });
}

async function changing(path: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw writeFault(path, error);
  }
}

export const localFiles: Files = {
  read: (path) => unlessMissing<string | null>(fs.readFile(path, 'utf8'), null),
  write,
  append: (path, text) => changing(path, () => fs.appendFile(path, text, { mode: 0o600 })),
  list: (path) => unlessMissing(fs.readdir(path), []),
  stat: async (path) => {
    const found = await unlessMissing(fs.stat(path, { bigint: true }), null);
    return (
      found && {
        size: Number(found.size),
        isFile: found.isFile(),
        mtimeMs: Number(found.mtimeMs),
        id: `${found.dev}:${found.ino}`,
        mode: Number(found.mode) & 0o7777,
      }
    );
  },
  makeDir: (path) => changing(path, () => fs.mkdir(path, { recursive: true, mode: 0o700 })),
  remove: (path) => changing(path, () => fs.rm(path, { recursive: true, force: true })),
  tidy: removeLeftBehind,
};
