import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { readIntoOne } from './read-into-one.ts';

/** A server that takes in what comes this way; `heard` by the order of the connections. */
async function listen(): Promise<{ port: number; heard: Buffer[][]; sockets: Socket[]; byOne: boolean[] }> {
  const heard: Buffer[][] = [];
  const sockets: Socket[] = [];
  const byOne: boolean[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const parts: Buffer[] = [];
    heard.push(parts);
    sockets.push(socket);
    byOne.push(readIntoOne(socket, (bytes) => void parts.push(bytes)));
    socket.on('end', () => socket.end()).on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heard, sockets, byOne };
}

async function dial(port: number): Promise<Socket> {
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function textOf(parts: readonly Buffer[] | undefined): string {
  return Buffer.concat(parts ?? []).toString('latin1');
}

test('accepted sockets of this Node read into one buffer, and what has come of one is not overwritten by another', async () => {
  const { port, heard, byOne } = await listen();
  const clients = [await dial(port), await dial(port)];
  await expect.poll(() => heard.length).toBe(2);
  for (let i = 0; i < 50; i += 1)
    for (const [at, client] of clients.entries()) client.write(`${at}`.repeat(500 + i));
  const size = 50 * 500 + (49 * 50) / 2;
  await expect.poll(() => heard.map((parts) => textOf(parts).length)).toEqual([size, size]);
  expect(heard.map(textOf)).toEqual(['0'.repeat(size), '1'.repeat(size)]);
  expect(byOne).toEqual([true, true]);
});

test('nothing is read of a paused socket, and all of it once it goes on, the end included', async () => {
  const { port, heard, sockets } = await listen();
  const client = await dial(port);
  await expect.poll(() => sockets.length).toBe(1);
  client.write('first');
  await expect.poll(() => textOf(heard[0])).toBe('first');
  sockets[0]?.pause();
  const closed = once(client, 'close');
  const rest = 'x'.repeat(300_000);
  client.end(rest);
  await new Promise(setImmediate);
  expect(textOf(heard[0])).toBe('first');
  sockets[0]?.resume();
  client.resume();
  await closed;
  expect(textOf(heard[0])).toBe(`first${rest}`);
});
