import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { wellBehaved } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, postChat, readMetric, sha256, until } from './harness.ts';

const redisServer = ['redis-server', '/usr/bin/redis-server'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
);

describe.skipIf(redisServer === undefined)(
  `several gateways (${redisServer === undefined ? 'redis-server is missing' : 'with redis-server'})`,
  () => {
    test('share the limits of a key; without their store each goes on alone, until it is back', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'berth redis '));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const port = await freePort();
      const urlFile = join(folder, 'url');
      await writeFile(urlFile, `redis://127.0.0.1:${port}\n`);
      let redis = await startRedis(port, folder);
      const upstream = await engine(wellBehaved);
      const config = configFor([{ url: upstream.url }], {
        anonymous: false,
        keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { rpm: 6, tpm: 100_000 } }],
        quotas: { ...noQuotas, sharedUrlFile: urlFile },
      });
      const programs = await Promise.all([runProgram(config), runProgram(config)]);
      const [one = '', two = ''] = await Promise.all(programs.map((program) => program.url()));

      async function bothAre(up: 0 | 1): Promise<void> {
        for (const url of [one, two])
          await until(`the store is ${up ? 'there' : 'gone'}`, async () => {
            return (await readMetric(url, 'berth_gateway_shared_limits_up', '')) === up;
          });
      }
      async function ask(url: string): Promise<[status: number, remaining: string | null]> {
        const reply = await postChat(url, { max_tokens: 5 }, { headers: { authorization: 'Bearer a' } });
        await reply.text();
        return [reply.status, reply.headers.get('x-ratelimit-remaining-requests')];
      }

      await bothAre(1);
      expect(await ask(one)).toEqual([200, '5']);
      expect(await ask(two)).toEqual([200, '4']);
      expect(await ask(one)).toEqual([200, '3']);

      redis.kill('SIGSTOP');
      expect((await ask(two))[0]).toBe(200);
      expect(await readMetric(two, 'berth_gateway_shared_limits_fallbacks_total', '')).toBeGreaterThan(0);
      redis.kill('SIGCONT');

      redis.kill('SIGKILL');
      await bothAre(0);
      expect(await ask(one)).toEqual([200, '3']);
      expect(programs[0].stderr()).toContain('counted here alone');

      redis = await startRedis(port, folder);
      await bothAre(1);
      expect(await ask(two)).toEqual([200, '5']);
      expect(await ask(one)).toEqual([200, '4']);
      for (let left = 3; left >= 0; left -= 1)
        expect(await ask(left % 2 ? two : one)).toEqual([200, String(left)]);
      expect((await ask(one))[0]).toBe(429);
      expect((await ask(two))[0]).toBe(429);
      expect(programs[0].stderr()).toContain('counted together');
    });
  },
);

/** Kept in memory only; gone when the test ends. */
async function startRedis(port: number, folder: string): Promise<ChildProcess> {
  const child = spawn(
    redisServer ?? '',
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

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
