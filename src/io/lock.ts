import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../domain/printable.ts';
import { silentHolder } from './silent-holder.ts';
import { unnamedHolder } from './unnamed-holder.ts';

/** Held until released, or until the process that holds it ends, however it ends. */
export interface Lock extends Disposable {
  readonly release: () => void;
}

/** Locks of one host, over all who change something there. */
export interface HostLocks {
  /** At once or not at all (null). `info` is told to whoever asks for the holder. */
  readonly take: (name: string, info: string) => Promise<Lock | null>;
  /** Null when nobody holds it. */
  readonly holder: (name: string) => Promise<Holder | null>;
}

export interface Holder {
  /** What it said of itself, or what shows of it. */
  readonly text: string;
  /** It has shown that it goes on: it answers, or holds the lock in a way that ends when it stands still. */
  readonly lives: boolean;
}

/**
 * Takes a lock on this machine, at once or not at all (null). It is a socket in Linux's abstract namespace: the kernel gives it to
 * one process and takes it back when that ends, so no stale file can be left behind. `info` is told to whoever asks for the holder.
 */
export async function tryLock(name: string, info: string): Promise<Lock | null> {
  const { createServer } = await import('node:net');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(info);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(socketName(name), () => {
      server.unref();
      resolve({ release: () => void server.close(), [Symbol.dispose]: () => void server.close() });
    });
  });
}

const answerMs = 1_000;
export const mostSaid = 1_000;

/** What the holder of a lock said of itself: nothing where it stands still; null when nobody holds it. */
export async function lockHolder(name: string): Promise<string | null> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(socketName(name));
    // Anybody may hold it, and go on talking.
    const timer = setTimeout(() => socket.destroy(), answerMs);
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > mostSaid) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', (failed) => {
      clearTimeout(timer);
      resolve(failed && text === '' ? null : printable(text, mostSaid));
    });
  });
}

/** Abstract names are at most 107 bytes. */
export function socketName(name: string): string {
  return `\0berth-${hashOf(name)}`;
}

/**
 * The file by which whoever comes by ssh holds the same lock: a shell cannot make such a socket. It belongs to whoever came first, and is
 * only read by others, who lock it all the same.
 */
export function lockFileName(name: string): string {
  return `berth-${hashOf(name)}.lock`;
}

/** Where all users of a machine see that file: the first where each may make files of his own and take none of others away, else the last. */
export const lockFolders = ['/run/lock', '/tmp'] as const;

export type LockFolders = readonly [string, string];

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40);
}

const flockScript = '[ -r "$1" ] && command -v flock >/dev/null || exit 3; exec 9<"$1"; flock -n 9 || exit 9';

/**
 * What the holder has written beside the lock file when someone holds it who came by ssh; null when nobody does. The kernel is asked by
 * the program that such a holder has used here too: /proc/locks leaves out locks of processes that have handed them on and ended. That
 * program is given the file opened: where all may write nobody may open for writing what is another's, and by its name it would.
 */
async function heldFromAfar(folder: string, name: string): Promise<Holder | null> {
  const path = join(folder, lockFileName(name));
  try {
    await fs.access(path);
    const { execFile } = await import('node:child_process');
    const free = await new Promise<boolean>((resolve) => {
      execFile('sh', ['-c', flockScript, 'sh', path], (error) => resolve(error?.code !== 9));
    });
    if (free) return null;
    const told = await toldBeside(folder, lockFileName(name)).catch(() => null);
    // Whoever came by ssh loses it where its beats stay away.
    return told === null
      ? { text: await seenHolding(path), lives: false }
      : { text: printable(told, mostSaid), lives: true };
  } catch {
    return null;
  }
}

/** Who holds the lock of a file that nobody has left a name beside. */
async function seenHolding(path: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    execFile('sh', ['-c', `file=$1\n${unnamedHolder()}`, 'sh', path], (error, stdout) =>
      resolve(error || stdout === '' ? `somebody who left no name, by the file ${path}` : stdout),
    );
  });
}

/** The newest of what holders have written, each into a file of his own; null: none of them has. */
async function toldBeside(folder: string, file: string): Promise<string | null> {
  const names = (await fs.readdir(folder)).filter((one) => one.startsWith(`${file}.`));
  const found = await Promise.all(
    names.map(async (one) => ({ path: join(folder, one), stat: await fs.lstat(join(folder, one)) })),
  );
  const [newest] = found
    .filter(({ stat }) => stat.isFile() && stat.size < 1000)
    .toSorted((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
  return newest ? fs.readFile(newest.path, 'utf8') : null;
}

/** Of these folders the one where the files lie. */
export async function sharedFolder([first, last]: LockFolders = lockFolders): Promise<string> {
  const stat = await fs.stat(first).catch(() => null);
  return stat?.isDirectory() && (stat.mode & openToAll) === openToAll ? first : last;
}

/** Everybody may make files there, and nobody take another's away. */
const openToAll = 0o1777;

/**
 * Locks of this machine, over all its users. Both sides take their own first and then look for the other's, so that both cannot have it.
 * `folder`: where files of those who come by ssh lie; absent: where they lay them.
 */
export function localLocks(folder?: string): HostLocks {
  async function heldByOther(name: string): Promise<Holder | null> {
    return heldFromAfar(folder ?? (await sharedFolder()), name);
  }
  return {
    take: async (name, info) => {
      const lock = await tryLock(name, info);
      if (lock === null || (await heldByOther(name)) === null) return lock;
      lock.release();
      return null;
    },
    holder: async (name) => {
      const text = await lockHolder(name);
      if (text === null) return heldByOther(name);
      return text === '' ? { text: silentHolder(socketName(name)), lives: false } : { text, lives: true };
    },
  };
}
