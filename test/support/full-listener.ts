import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** An address of this machine at which a connection is never made: neither accepted nor refused. */
export interface FullListener {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const program = `
const server = require('node:net').createServer(() => {});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/** So long without a connection, and the queue is full: the kernel makes one on loopback in microseconds. */
const surelyFullMs = 500;

/** A listener whose process has been stopped and whose queue is filled, so that the kernel drops what else comes. */
export async function fullListener(): Promise<FullListener> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  while (await connects(port, fillers));
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function connects(port: number, fillers: Socket[]): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  fillers.push(socket);
  const made = once(socket, 'connect').then(() => true);
  return Promise.race([made, delay(surelyFullMs, false)]);
}
