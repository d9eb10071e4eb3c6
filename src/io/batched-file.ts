import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

/** Lines that are gathered and appended together, away from whoever writes them. */
export interface BatchedFile {
  /** Never waits and never throws; dropped and counted when the disk does not keep up. */
  readonly write: (line: string) => void;
  /** Lines lost so far, to a full backlog or to a fault of the disk. */
  readonly lost: () => number;
  /** Writes what is left and ends. */
  readonly close: () => Promise<void>;
}

export interface BatchedFileOptions {
  /** Beyond this the file becomes ".1", ".1" becomes ".2" and so on. */
  readonly maxBytes: number;
  /** Older files that are kept. */
  readonly keep: number;
  readonly everyMs?: number;
  readonly onFault: (error: unknown) => void;
}

const usualEveryMs = 500;
const flushAt = 64 * 1024;
const mostWaiting = 8 * 1024 * 1024;

/**
 * Opened anew for each batch, so that a file that was moved away (logrotate) is simply begun again: nobody has to be
 * told. Readable by its owner alone.
 */
export function openBatchedFile(path: string, options: BatchedFileOptions): BatchedFile {
  let waiting: string[] = [];
  let size = 0;
  let lost = 0;
  let busy: Promise<void> | null = null;

  async function append(lines: readonly string[]): Promise<void> {
    try {
      await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await fs.appendFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
      if ((await fs.stat(path)).size > options.maxBytes) await rotate(path, options.keep);
    } catch (error) {
      lost += lines.length;
      options.onFault(error);
    }
  }
  function flush(): Promise<void> {
    if (busy) return busy;
    if (waiting.length === 0) return Promise.resolve();
    const lines = waiting;
    waiting = [];
    size = 0;
    busy = append(lines).finally(() => (busy = null));
    return busy;
  }
  const timer = setInterval(() => void flush(), options.everyMs ?? usualEveryMs);
  timer.unref();
  return {
    write: (line) => {
      if (size > mostWaiting) {
        lost += 1;
        return;
      }
      waiting.push(line);
      size += line.length;
      if (size > flushAt && !busy) void flush();
    },
    lost: () => lost,
    close: async () => {
      clearInterval(timer);
      while (busy || waiting.length > 0) await flush();
    },
  };
}

async function rotate(path: string, keep: number): Promise<void> {
  for (let age = keep; age > 0; age -= 1) {
    const from = age === 1 ? path : `${path}.${age - 1}`;
    await fs.rename(from, `${path}.${age}`).catch(ignoreMissing);
  }
  if (keep === 0) await fs.rm(path, { force: true });
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
