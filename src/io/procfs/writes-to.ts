import { statSync } from 'node:fs';

/** Whether the output of a process goes to this very file: by device and inode, since a name can be another file in a namespace of its own. */
export function writesTo(proc: string, pid: number, path: string): boolean {
  try {
    const file = statSync(path);
    return [1, 2].some((fd) => {
      const { dev, ino } = statSync(`${proc}/${pid}/fd/${fd}`);
      return dev === file.dev && ino === file.ino;
    });
  } catch {
    return false;
  }
}
