import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** What was read of another machine's /proc, by paths below it ("42/stat"); null and empty mean what they mean in a folder. */
export interface ProcSnapshot {
  readonly text: (path: string) => string | null;
  readonly link: (path: string) => string | null;
  readonly names: (path: string) => string[];
}

/** A folder in the shape of /proc, read when it is asked for, or a snapshot of one elsewhere. */
export type Procfs = string | ProcSnapshot;

/** Null when the process is gone or rights hide the file: in /proc both are ordinary. */
export function readText(proc: Procfs, path: string): string | null {
  if (typeof proc !== 'string') return proc.text(path);
  try {
    return readFileSync(`${proc}/${path}`, 'utf8');
  } catch {
    return null;
  }
}

export function readLink(proc: Procfs, path: string): string | null {
  if (typeof proc !== 'string') return proc.link(path);
  try {
    return readlinkSync(`${proc}/${path}`);
  } catch {
    return null;
  }
}

export function listNames(proc: Procfs, path: string): string[] {
  if (typeof proc !== 'string') return proc.names(path);
  try {
    return readdirSync(`${proc}/${path}`);
  } catch {
    return [];
  }
}

/**
 * One look at /proc: what is made of it (`readProcessTable`, `readListeners`) is made once, whoever asks. Hand it on only for work
 * that is to see one and the same moment.
 */
export function oneLook(proc: Procfs): ProcSnapshot {
  if (typeof proc !== 'string') return proc;
  return {
    text: (path) => readText(proc, path),
    link: (path) => readLink(proc, path),
    names: (path) => listNames(proc, path),
  };
}
