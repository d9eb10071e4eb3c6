import net from 'node:net';
import tls from 'node:tls';
import { ownCopy } from '../own-copy.ts';

/** What a new connection tells of itself, beside what every socket tells. */
export interface DialListener {
  /** The request may be sent: at https:// the certificate has been found good. */
  readonly onReady: () => void;
  /** Each read in bytes of its own, since what is forwarded may be written out later. */
  readonly onBytes: (bytes: Buffer) => void;
}

/** Opens one connection to one upstream. */
export type Dial = (listener: DialListener) => net.Socket;

interface Target {
  readonly host: string;
  readonly port: number;
}

/** A host that has vanished says nothing, as an engine does that reads a long prompt: the kernel asks whether it is there. */
const probeAfterMs = 15_000;

/** All plain connections read into this one; otherwise Node makes a buffer of 64 KiB for every read and shrinks it. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** How connections to the upstream at `base` are opened. `ca`: PEM, the authorities that are trusted in place of the usual ones. */
export function dialTo(base: URL, ca: string | undefined): Dial {
  const secure = base.protocol === 'https:';
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(base.port || (secure ? 443 : 80)) };
  return secure ? dialTls(target, ca) : dialPlain(target);
}

function dialPlain(target: Target): Dial {
  return ({ onReady, onBytes }) =>
    net
      .connect({
        ...target,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: probeAfterMs,
        onread: {
          buffer: readBuffer,
          callback: (size) => {
            onBytes(ownCopy(readBuffer, size));
            return true;
          },
        },
      })
      .on('connect', onReady);
}

function dialTls(target: Target, ca: string | undefined): Dial {
  const secureContext = tls.createSecureContext(ca === undefined ? {} : { ca });
  let session: Buffer | undefined;
  return ({ onReady, onBytes }) => {
    const socket = tls.connect({
      ...target,
      // An address is no name that could be asked for.
      ...(net.isIP(target.host) === 0 ? { servername: target.host } : {}),
      // One request a connection: what a client leaves is ended by closing.
      ALPNProtocols: ['http/1.1'],
      secureContext,
      ...(session === undefined ? {} : { session }),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, probeAfterMs);
    return (
      socket
        .on('secureConnect', onReady)
        .on('data', onBytes)
        // A resumed session's certificate is not held against the name again: only one that was found good may be resumed.
        .on('session', (told: Buffer) => {
          if (socket.authorized) session = told;
        })
    );
  };
}
