import { createHash } from 'node:crypto';
import net from 'node:net';

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
export function tryLock(name: string, info: string): Promise<Lock | null> {
  const server = net.createServer((socket) => {
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
export function lockHolder(name: string): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(socketName(name));
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', (failed) => resolve(failed && text === '' ? null : text));
  });
}

/** Abstract names are at most 107 bytes. */
function socketName(name: string): string {
  return `\0berth-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

export const localLocks: HostLocks = { take: tryLock, holder: lockHolder };
