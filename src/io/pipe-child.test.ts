import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pipeOf } from './pipe-child.ts';

function node(code: string) {
  return spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function bytesOf(pipe: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const part of pipe) count += part.length;
  return count;
}

test('all that a process wrote is read, also where it has ended before anybody looks', async () => {
  const child = node(`process.stdin.once('data', () => {
    require('node:fs').writeSync(1, 'x'.repeat(60_000));
    process.exit(0);
  })`);
  const pipe = pipeOf(child);
  pipe.write('go');
  await once(child, 'exit');
  await delay(100);
  expect(await bytesOf(pipe)).toBe(60_000);
});

test('what is written reaches it, and its end is the end of both', async () => {
  const child = node(`process.stdin.pipe(process.stdout)`);
  const pipe = pipeOf(child);
  pipe.end(Buffer.alloc(300_000, 'y'));
  expect(await bytesOf(pipe)).toBe(300_000);
  if (!pipe.closed) await once(pipe, 'close');
});

test('one that fails says why, and one that is no longer wanted ends', async () => {
  const failing = pipeOf(node(`console.error('sudo: a password is required'); process.exit(1)`));
  await expect(bytesOf(failing)).rejects.toThrow('sudo: a password is required');
  const child = node(`setInterval(() => {}, 1000)`);
  const pipe = pipeOf(child);
  pipe.destroy();
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGTERM');
});
