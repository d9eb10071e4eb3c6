import type { Files, FileStat } from './files.ts';

/** The same files, of which each is looked at once: for whoever only reads, and wants what was there at one moment. */
export function rememberStats(files: Files): Files {
  const known = new Map<string, Promise<FileStat | null>>();
  return {
    ...files,
    stat: (path) => {
      const found = known.get(path) ?? files.stat(path);
      known.set(path, found);
      return found;
    },
  };
}
