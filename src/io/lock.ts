import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';

/** Held until released, or until the process that holds it ends, however it ends. */
export interface Lock extends Disposable {
  readonly release: () => void;
}

/** Locks of one host, over all who change something there. */
export interface HostLocks {
  /** At once or not at all (null). `info` is told to whoever asks for the holder. */
  readonly take: (name: string, info: string) => Promise<Lock | null>;
  /** What the holder said of itself; null when nobody holds it. */
  readonly holder: (name: string) => Promise<string | null>;
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

/** What the holder of a lock said of itself; null when nobody holds it. */
export async function lockHolder(name: string): Promise<string | null> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(socketName(name));
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', (failed) => resolve(failed && text === '' ? null : text));
  });
}

/** Abstract names are at most 107 bytes. */
export function socketName(name: string): string {
  return `\0berth-${hashOf(name)}`;
}

/** The file by which whoever comes by ssh holds the same lock: a shell cannot make such a socket. */
export function lockFileName(name: string): string {
  return `${hashOf(name)}.lock`;
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40);
}

/**
 * What stands in the lock file when someone holds it who came by ssh; null when nobody does. The kernel is asked by the program that
 * such a holder has used here too: /proc/locks leaves out locks of processes that have handed them on and ended.
 */
async function heldFromAfar(folder: string, name: string): Promise<string | null> {
  const path = join(folder, lockFileName(name));
  try {
    await fs.access(path);
    const { execFile } = await import('node:child_process');
    const free = await new Promise<boolean>((resolve) => {
      execFile('flock', ['-n', path, 'true'], (error) => resolve(error?.code !== 1));
    });
    return free ? null : await fs.readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** Locks of this machine. Both sides take their own first and then look for the other's, so that both cannot have it. */
export function localLocks(folder: string): HostLocks {
  return {
    take: async (name, info) => {
      const lock = await tryLock(name, info);
      if (lock === null || (await heldFromAfar(folder, name)) === null) return lock;
      lock.release();
      return null;
    },
    holder: async (name) => (await lockHolder(name)) ?? heldFromAfar(folder, name),
  };
}
