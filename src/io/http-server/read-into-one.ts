import net from 'node:net';
import type { Socket } from 'node:net';
import { ownCopy } from '../own-copy.ts';

/** All accepted sockets read into this one; otherwise Node makes a buffer of 64 KiB for every read, and a second one to copy to. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

interface Handle {
  readonly useUserBuffer?: (buffer: Buffer) => void;
}

/**
 * Calls `take` with what the socket reads, a copy each time. Node has the option `onread` for sockets that it opens and not
 * for those that it accepts: what that option sets is set here by hand. Where this Node keeps it elsewhere, and for a socket
 * that encrypts, bytes come by "data". True: by the one buffer. Only in the turn that has accepted the socket: later something may have been read.
 */
export function readIntoOne(socket: Socket, take: (bytes: Buffer) => void): boolean {
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle;
  if (!keys || 'encrypted' in socket || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', take);
    return false;
  }
  const fields = socket as unknown as Record<symbol, unknown>;
  fields[keys.buffer] = readBuffer;
  fields[keys.callback] = (size: number) => {
    take(ownCopy(readBuffer, size));
    return true;
  };
  handle.useUserBuffer(readBuffer);
  return true;
}

const keys = keysOf(new net.Socket());

/** Null where this Node has other ones. */
function keysOf(socket: Socket): { readonly buffer: symbol; readonly callback: symbol } | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const [buffer, callback] = ['kBuffer', 'kBufferCb'].map((name) =>
    symbols.find((symbol) => symbol.description === name),
  );
  return buffer && callback ? { buffer, callback } : null;
}
