import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface LateRelay {
  readonly url: string;
  /** How many connections there were. */
  readonly taken: () => number;
  /** Takes no more connections; those that are open end with their clients. */
  readonly close: () => void;
}

/** A door to a server: connections are there at once, and nothing is read from them for so long. */
export async function startLateRelay(url: string, waitMs: number): Promise<LateRelay> {
  const { hostname, port } = new URL(url);
  let taken = 0;
  const door = createServer({ pauseOnConnect: true }, (client) => {
    taken += 1;
    const server = connect(Number(port), hostname);
    for (const one of [client, server]) one.on('error', () => one.destroy());
    const timer = setTimeout(() => client.pipe(server).pipe(client), waitMs);
    client.once('close', () => {
      clearTimeout(timer);
      server.destroy();
    });
  });
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const { port: own } = door.address() as AddressInfo;
  return { url: `http://127.0.0.1:${own}`, taken: () => taken, close: () => void door.close() };
}
