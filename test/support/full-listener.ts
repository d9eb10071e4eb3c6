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

/** A listener that takes connections and answers nothing, until it is filled. */
export interface SilentListener extends FullListener {
  /** The first lines of what was sent to it. */
  readonly heard: () => string;
  /** From now on a connection is never made; those that there are stay, and say nothing. */
  readonly fill: () => Promise<void>;
}

const program = `
const server = require('node:net').createServer((socket) => {
  socket.on('data', (bytes) => console.log(bytes.toString('latin1').split('\\r\\n')[0])).on('error', () => {});
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/** So long without a connection, and the queue is full: the kernel makes one on loopback in microseconds. */
const surelyFullMs = 500;

export async function silentListener(): Promise<SilentListener> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  let heard = '';
  child.stdout.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  const fillers: Socket[] = [];
  return {
    url: `http://127.0.0.1:${port}`,
    heard: () => heard,
    fill: async () => {
      child.kill('SIGSTOP');
      while (await connects(port, fillers));
    },
    close: async () => {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A listener whose process has been stopped and whose queue is filled, so that the kernel drops what else comes. */
export async function fullListener(): Promise<FullListener> {
  const listener = await silentListener();
  await listener.fill();
  return listener;
}

async function connects(port: number, fillers: Socket[]): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  fillers.push(socket);
  const made = once(socket, 'connect').then(() => true);
  return Promise.race([made, delay(surelyFullMs, false)]);
}
