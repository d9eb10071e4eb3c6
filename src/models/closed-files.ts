import { join } from 'node:path';
import type { Files, FileStat } from '../io/files.ts';

/** Files of this machine as far as they can be read. */
export interface Looked {
  readonly read: (path: string) => Promise<string | null>;
  readonly list: (path: string) => Promise<string[]>;
  readonly stat: (path: string) => Promise<FileStat | null>;
  /** What is there, or may be, and was not told when it was asked for. */
  readonly closed: () => readonly string[];
}

/** What no program could read there either. */
const nothingToRead: ReadonlySet<unknown> = new Set([
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ERR_INVALID_ARG_VALUE',
]);

/** Reads what can be read, and keeps in mind what cannot. */
export function lookedAt(files: Pick<Files, 'list' | 'read' | 'stat'>): Looked {
  const closed = new Set<string>();
  async function unlessClosed<T>(path: string, attempt: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await attempt;
    } catch (error) {
      if (!nothingToRead.has((error as NodeJS.ErrnoException).code)) closed.add(path);
      return otherwise;
    }
  }
  /** Only a file: whoever opens a FIFO waits until somebody writes into it. */
  async function readFile(path: string): Promise<string | null> {
    const stat = await files.stat(path);
    return stat?.isFile === false ? null : files.read(path);
  }
  return {
    read: (path) => unlessClosed(path, readFile(path), null),
    list: (path) => unlessClosed<string[]>(path, files.list(path), []),
    stat: (path) => unlessClosed(path, files.stat(path), null),
    closed: () => [...closed].toSorted(),
  };
}

/**
 * The files that an absolute path names in which "*", "?", "[…]" and specifiers of systemd may stand, more rather than less: a set is
 * any sign, and a specifier any text without a slash.
 */
export async function filesNamed(looked: Looked, pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    const open = /[*?[%]/.test(part) ? likeness(part) : null;
    const next = found.map(async (folder) => {
      if (open === null) return [join(folder, part)];
      const names = await looked.list(folder);
      return names.filter((name) => open.test(name)).map((name) => join(folder, name));
    });
    found = (await Promise.all(next)).flat();
  }
  return found;
}

function likeness(part: string): RegExp {
  const source = part.replaceAll(/\[[^\]]+\]|%[A-Za-z]|[^\w]/g, (piece) => {
    if (piece === '*' || /^%./.test(piece)) return '.*';
    return piece === '?' || piece.length > 1 ? '.' : `\\${piece}`;
  });
  return new RegExp(`^${source}$`, 's');
}
