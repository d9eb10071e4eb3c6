import { readText } from './read.ts';
import type { Procfs } from './read.ts';

interface Mount {
  readonly device: string;
  /** Folder of that device that is mounted. */
  readonly root: string;
  readonly at: string;
}

/**
 * The path by which this machine knows a file that a process in a mount namespace of its own has at `path`; null where it lies on
 * nothing that is mounted here. The two must be compared before it is believed.
 */
export function outsidePath(proc: Procfs, pid: number, path: string): string | null {
  const inside = nearest(mountsOf(proc, String(pid)), path, (one) => one.at);
  if (!inside) return null;
  const onDevice = join(inside.root, below(path, inside.at));
  const here = mountsOf(proc, 'self').filter((one) => one.device === inside.device);
  const outside = nearest(here, onDevice, (one) => one.root);
  return outside ? join(outside.at, below(onDevice, outside.root)) : null;
}

function mountsOf(proc: Procfs, pid: string): Mount[] {
  return (readText(proc, `${pid}/mountinfo`) ?? '').split('\n').flatMap((line) => {
    const [, , device, root, at] = line.split(' ');
    return device !== undefined && root !== undefined && at !== undefined
      ? [{ device, root: plain(root), at: plain(at) }]
      : [];
  });
}

/** The kernel writes blanks and the like as octal numbers. */
function plain(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Of several at one place the last one covers the others. */
function nearest(mounts: readonly Mount[], path: string, folder: (one: Mount) => string): Mount | undefined {
  return mounts
    .filter((one) => isBelow(path, folder(one)))
    .toSorted((a, b) => folder(a).length - folder(b).length)
    .at(-1);
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function below(path: string, folder: string): string {
  return folder === '/' ? path : path.slice(folder.length);
}

function join(folder: string, rest: string): string {
  return `${folder === '/' ? '' : folder}${rest.startsWith('/') || rest === '' ? rest : `/${rest}`}` || '/';
}
