import { connect } from 'node:net';

const connectMs = 2_000;

/** Why no connection to an address comes about within two seconds; null where one does, which is closed again. */
export function connectFault(host: string, port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    function end(fault: Error | null): void {
      socket.destroy();
      resolve(fault);
    }
    socket.setTimeout(connectMs, () => end(Object.assign(new Error('It is silent.'), { code: 'ETIMEDOUT' })));
    socket.once('connect', () => end(null));
    socket.once('error', end);
  });
}
