import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

/** A file of any size that is read in parts. Give it back with `close`, or hold it with `await using`. */
export interface ByteSource extends AsyncDisposable {
  readonly path: string;
  readonly size: number;
  /** At most `length` bytes from `offset`; fewer at the end of the file. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
}

/** A file written from front to back. It has its name only after `commit`; without it nothing is left behind. */
export interface ByteSink extends AsyncDisposable {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly commit: () => Promise<void>;
}

/** Null when there is no such file. */
export async function openSource(path: string): Promise<ByteSource | null> {
  const handle = await fs.open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (!handle) return null;
  const { size } = await handle.stat();
  return {
    path,
    size,
    read: async (offset, length) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

export async function createSink(path: string): Promise<ByteSink> {
  await fs.mkdir(dirname(path), { recursive: true });
  const beside = `${path}.part`;
  const handle = await fs.open(beside, 'w', 0o644);
  let committed = false;
  return {
    write: async (bytes) => {
      let done = 0;
      while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten;
    },
    commit: async () => {
      await handle.close();
      await fs.rename(beside, path);
      committed = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (committed) return;
      await handle.close();
      await fs.rm(beside, { force: true });
    },
  };
}
