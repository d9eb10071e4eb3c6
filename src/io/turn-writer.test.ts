import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { TurnWriter } from './turn-writer.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** Two ends of one connection. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  open.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

async function textFrom(far: Socket): Promise<string> {
  let text = '';
  for await (const bytes of far) text += (bytes as Buffer).toString('latin1');
  return text;
}

test('what is written in one turn goes out whole, in order, bytes and text alike', async () => {
  const { near, far } = await pair();
  const out = new TurnWriter(near);
  out.write('a\xff');
  out.write(Buffer.from([0xfe, 0x62]));
  out.write(new Uint8Array([0xfd]));
  expect([near.bytesWritten, out.empty]).toEqual([0, false]);
  await new Promise(setImmediate);
  expect([near.bytesWritten, out.empty]).toEqual([5, true]);
  out.write('later');
  out.flush();
  near.end();
  expect(await textFrom(far)).toBe('a\xff\xfeb\xfdlater');
});

test('who writes more than a turn may keep is told to wait, and nothing is written to a socket that is gone', async () => {
  const { near } = await pair();
  const out = new TurnWriter(near);
  expect(out.write('x')).toBe(true);
  expect(out.write('x'.repeat(64 * 1024))).toBe(false);
  near.destroy();
  await new Promise(setImmediate);
  expect([near.bytesWritten, out.empty]).toEqual([0, true]);
});

test('a turn that lasts long writes what it has kept before it ends', async () => {
  const pairs = await Promise.all(Array.from({ length: 16 }, pair));
  const writers = pairs.map(({ near }) => new TurnWriter(near));
  for (const out of writers.slice(0, 8)) out.write('early');
  const until = performance.now() + 2;
  while (performance.now() < until);
  for (const out of writers.slice(8)) out.write('late');
  expect(pairs.map(({ near }) => near.bytesWritten)).toEqual([...Array(8).fill(5), ...Array(8).fill(4)]);
});

test('what a slow reader leaves is known, arrives in order behind what was left, and is told of when it has gone', async () => {
  const { near, far } = await pair();
  let told = 0;
  const out = new TurnWriter(near, () => (told += 1));
  let sent = '';
  function write(byte: string, size: number): boolean {
    const piece = byte.repeat(size);
    sent += piece;
    const ready = out.write(piece);
    out.flush();
    return ready;
  }
  for (let i = 0; out.ready; i += 1) write(String.fromCharCode(97 + (i % 26)), 60_000);
  expect([out.settled, told]).toEqual([false, 0]);
  expect(write('1', 10)).toBe(false);
  expect(write('2', 100_000)).toBe(false);
  near.end();
  expect(await textFrom(far)).toBe(sent);
  expect([out.settled, told]).toEqual([true, 1]);
});

test('a socket whose other end is gone is destroyed by the write that finds it out', async () => {
  const { near, far } = await pair();
  const out = new TurnWriter(near);
  const errors: unknown[] = [];
  near.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
  const closed = new Promise((resolve) => near.on('close', resolve));
  const gone = once(far, 'close');
  near.pause();
  far.resetAndDestroy();
  await gone;
  for (let i = 0; i < 3; i += 1) {
    out.write('x');
    out.flush();
  }
  expect(near.destroyed).toBe(true);
  await closed;
  expect(errors).toHaveLength(1);
  expect(['EPIPE', 'ECONNRESET']).toContain(errors[0]);
});
