import { describe, expect, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import type { Turn } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, postChat, readMetric, until } from './harness.ts';
import { connected, redisServer, store } from './redis.ts';

const slots = 8;

describe.skipIf(!redisServer.there)(`several gateways (${redisServer.name})`, () => {
  test("do not take each other's requests for those of strangers: the engine's slots stay in use", async () => {
    const { urlFile } = await store();
    const held: Turn[] = [];
    const upstream = await engine((turn) => {
      if (turn.request.path !== '/metrics') return void held.push(turn);
      const text = `llamacpp:requests_processing ${held.length}\nllamacpp:requests_deferred 0\n`;
      turn.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      turn.done();
    });
    const config = configFor([{ url: upstream.url, slots, metricsPath: '/metrics' }], {
      quotas: { ...noQuotas, sharedUrlFile: urlFile },
      limits: { queue: 200, queueMs: 60_000 },
    });
    const programs = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all(programs.map((program) => program.url()));
    await connected(urls);
    await until('the slots are divided', async () => {
      const limits = urls.map((url) => readMetric(url, 'berth_gateway_limit', 'kind="slots"'));
      return (await Promise.all(limits)).reduce((sum, one) => sum + one) === slots;
    });
    const replies = urls.flatMap((url) => Array.from({ length: 60 }, () => postChat(url)));
    await until('the slots are taken', () => held.length === slots);
    // As many readings as strangers are believed after, and more.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const counts: number[] = [];
    while (held.length > 0) {
      held.shift()?.json(200, { choices: [] });
      await new Promise((resolve) => setTimeout(resolve, 100));
      counts.push(held.length);
    }
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(replies.map(() => 200));
    const busy = counts.slice(0, 80);
    const mean = busy.reduce((sum, count) => sum + count, 0) / busy.length;
    expect(Math.max(...counts)).toBeLessThanOrEqual(slots);
    expect(mean).toBeGreaterThan(slots - 1);
  }, 60_000);
});
