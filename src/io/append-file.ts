import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

/** A file that only grows, held open: opening it for each line costs more than writing the line. */
export interface AppendFile {
  /** One after the other, in the order of the calls. */
  readonly append: (content: string | Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The file is made with the first line. */
export function openAppendFile(path: string): AppendFile {
  let handle: Promise<fs.FileHandle> | null = null;
  let last: Promise<void> = Promise.resolve();
  async function open(): Promise<fs.FileHandle> {
    await fs.mkdir(dirname(path), { recursive: true });
    return fs.open(path, 'a');
  }
  return {
    append: (content) => {
      last = last.then(async () => {
        handle ??= open();
        await (await handle).appendFile(content);
      });
      return last;
    },
    close: async () => {
      await last.catch(() => {});
      await (await handle?.catch(() => null))?.close();
      handle = null;
    },
  };
}

/** Takes off what lies behind so many bytes. */
export async function cutFile(path: string, bytes: number): Promise<void> {
  await fs.truncate(path, bytes);
}
