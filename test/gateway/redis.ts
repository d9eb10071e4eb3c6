import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readMetric, until } from './harness.ts';

/** A real redis-server, where this machine has one. */
const program = ['redis-server', '/usr/bin/redis-server'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
);

export const redisServer = {
  there: program !== undefined,
  name: program === undefined ? 'redis-server is missing' : 'with redis-server',
};

/** One of its own, and a file with its address; gone when the test ends. */
export async function store(): Promise<{ urlFile: string; redis: ChildProcess }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth redis '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const urlFile = join(folder, 'url');
  await writeFile(urlFile, `redis://127.0.0.1:${port}\n`);
  return { urlFile, redis: await startRedis(port, folder) };
}

export async function connected(urls: readonly string[]): Promise<void> {
  for (const url of urls)
    await until('the store is there', async () => {
      return (await readMetric(url, 'berth_gateway_shared_limits_up', '')) === 1;
    });
}

/** Kept in memory only; gone when the test ends. */
export async function startRedis(port: number, folder: string): Promise<ChildProcess> {
  const child = spawn(
    program ?? '',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await until('Redis accepts connections', () => text.includes('Ready to accept connections'));
  return child;
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
