import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { wellBehaved } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, dial, engine, errorOf, postChat, readMetric, sha256, until } from './harness.ts';
import { connected, freePort, redisServer, startRedis } from './redis.ts';

/** No file of usage, as in a pod. A request takes ten tokens. */
async function shared(urlFile: string, tokens: number | null): Promise<GatewayConfig> {
  const upstream = await engine(wellBehaved);
  const limits = tokens === null ? {} : { budget: { month: { tokens } } };
  return configFor([{ url: upstream.url }], {
    keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits }],
    quotas: { ...noQuotas, sharedUrlFile: urlFile },
  });
}

async function ask(url: string): Promise<string> {
  const reply = await postChat(url, {}, { headers: { authorization: 'Bearer a' } });
  if (reply.status !== 200) return `${reply.status} ${(await errorOf(reply)).code}`;
  await reply.text();
  return '200';
}

/** What Redis has of all budgets of the key. */
async function spent(port: number): Promise<number> {
  const now = new Date();
  const month = now.getUTCFullYear() * 12 + now.getUTCMonth();
  const wire = await dial(port, `GET berth:{test}:key:a:month:tokens:${month}\r\nQUIT\r\n`);
  await wire.closed;
  return Number(/^\$\d+\r\n(\d+)\r\n/.exec(wire.text())?.[1] ?? 0);
}

describe.skipIf(!redisServer.there)(`budgets of several gateways (${redisServer.name})`, () => {
  test('outlive one that is lost, and those that come later know what was spent', async () => {
    const { port, urlFile, folder } = await place();
    await startRedis(port, folder);
    const config = await shared(urlFile, 40);
    const [one, two] = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all([one.url(), two.url()]);
    await connected(urls);
    for (const [i, url] of [...urls, urls[0]].entries()) {
      expect(await ask(url)).toBe('200');
      await until('what was spent is told', async () => (await spent(port)) === 10 * (i + 1));
    }
    one.child.kill('SIGKILL');
    await one.ended;

    const three = await (await runProgram(config)).url();
    await connected([three]);
    expect(await ask(three)).toBe('200');
    await until('what was spent is told', async () => (await spent(port)) === 40);
    expect([await ask(three), await ask(urls[1])]).toEqual([
      '429 insufficient_quota',
      '429 insufficient_quota',
    ]);
  });

  test('that are set later know what all gateways spent before', async () => {
    const { port, urlFile, folder } = await place();
    const redis = await startRedis(port, folder);
    expect(redis.pid).toBeGreaterThan(0);
    const free = await shared(urlFile, null);
    const [one, two] = await Promise.all([runProgram(free), runProgram(free)]);
    const urls = await Promise.all([one.url(), two.url()]);
    await connected(urls);
    for (const url of urls) expect(await ask(url)).toBe('200');
    await until('what was spent is told', async () => (await spent(port)) === 20);
    const later = await (await runProgram(await shared(urlFile, 20))).url();
    await connected([later]);
    expect(await ask(later)).toBe('429 insufficient_quota');
  });

  test.each([null, 40])(
    'have what was spent just before a gateway ends, with a budget of %s',
    async (tokens) => {
      const { port, urlFile, folder } = await place();
      await startRedis(port, folder);
      const one = await runProgram(await shared(urlFile, tokens));
      const url = await one.url();
      await connected([url]);
      expect(await ask(url)).toBe('200');
      one.child.kill('SIGTERM');
      expect(await one.ended).toBe(0);
      expect(await spent(port)).toBe(10);
    },
  );

  test('have what was spent while Redis was away, once it is back', async () => {
    const { port, urlFile, folder } = await place();
    const config = await shared(urlFile, 20);
    const [one, two] = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all([one.url(), two.url()]);
    for (let i = 0; i < 2; i += 1) expect(await ask(urls[0])).toBe('200');
    expect(await readMetric(urls[0], 'berth_gateway_shared_limits_fallbacks_total', '')).toBeGreaterThan(0);
    await startRedis(port, folder);
    await connected(urls);
    await until('it is told', async () => (await spent(port)) === 20);
    expect(await ask(urls[1])).toBe('429 insufficient_quota');
    expect(await spent(port)).toBe(20);
  });
});

/** A port where no Redis is yet, and a file with its address. */
async function place(): Promise<{ port: number; urlFile: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth redis '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const urlFile = join(folder, 'url');
  await writeFile(urlFile, `redis://127.0.0.1:${port}\n`);
  return { port, urlFile, folder };
}
