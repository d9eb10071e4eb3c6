import { BerthError } from '../domain/errors/berth-error.ts';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'it is not permitted',
  EROFS: 'its file system can only be read',
  ENOTDIR: 'a file is in the place of a folder',
  EISDIR: 'a folder is in its place',
  EEXIST: 'a file is in the place of a folder',
  EFBIG: 'no file may be that large there (ulimit -f, or its file system)',
  EIO: 'the disk fails',
  ELOOP: 'its links lead in a circle',
};

/** What the system says of a write, in words of ours where it is the place that is wrong; everything else as it came. */
export function writeFault(path: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (isFull(code)) return new BerthError('DISK_FULL', { path }, { cause: error });
  const reason = code === 'ENOENT' ? 'a folder above it is not there and cannot be made' : reasons[code];
  return reason === undefined ? error : new BerthError('WRITE_DENIED', { path, reason }, { cause: error });
}

/** The same of a fault that nobody has expected where it came up; null when it tells of no place. */
export function placeFault(error: unknown): BerthError | null {
  const { code = '', path, syscall = '' } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || path === undefined || syscall.startsWith('spawn')) return null;
  if (isFull(code)) return new BerthError('DISK_FULL', { path }, { cause: error });
  const reason = reasons[code];
  return reason === undefined ? null : new BerthError('FILE_UNREADABLE', { path, reason }, { cause: error });
}

function isFull(code: string): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}
