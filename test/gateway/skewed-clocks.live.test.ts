import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { systemClock } from '../../src/io/clock.ts';
import { openUsageStore } from '../../src/io/usage-store.ts';
import { wellBehaved } from './fake-upstream.ts';
import { configFor, engine, front, postChat, sha256, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';
import { connected, redisServer, store } from './redis.ts';

const dayMs = 86_400_000;

describe.skipIf(!redisServer.there)(`budgets of several gateways (${redisServer.name})`, () => {
  test("are of the store's days and months, whatever a gateway's own clock says", async () => {
    const { urlFile } = await store();
    const upstream = await engine(wellBehaved);
    const config = configFor([{ url: upstream.url }], {
      keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { budget: { day: { tokens: 40 } } } }],
      quotas: { ...noQuotas, sharedUrlFile: urlFile },
    });
    const gateways: RunningGateway[] = [];
    for (const days of [0, 1, -40])
      gateways.push(
        await front(config, {
          clock: { ...systemClock, wall: () => new Date(Date.now() + days * dayMs) },
        }),
      );
    await connected(gateways.map(({ url }) => url));
    async function ask(nth: number): Promise<number> {
      const reply = await postChat(gateways[nth]?.url ?? '', {}, { headers: { authorization: 'Bearer a' } });
      await reply.text();
      return reply.status;
    }
    // Decisions made without the store.
    function alone(): Promise<number[]> {
      return Promise.all(gateways.map(({ metric }) => metric('berth_gateway_shared_limits_fallbacks_total')));
    }
    const before = await alone();
    // Ten tokens each.
    expect([await ask(1), await ask(0), await ask(2), await ask(1)]).toEqual([200, 200, 200, 200]);
    await until('all gateways know it as spent', async () => {
      return (await ask(0)) === 429 && (await ask(1)) === 429 && (await ask(2)) === 429;
    });
    expect(await alone()).toEqual(before);
    expect(upstream.seen.length).toBe(4);
  });

  test('count what a file tells of the day of the store, also where that is known only after the file was read', async () => {
    const { urlFile } = await store();
    const folder = await mkdtemp(join(tmpdir(), 'berth usage '));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const usageFile = join(folder, 'usage.sqlite');
    const file = await openUsageStore(usageFile);
    const day = new Date().toISOString().slice(0, 10);
    file.add([{ day, key: 'a', model: 'm', requests: 1, input: 30, output: 10, usd: 0 }]);
    file.close();
    const upstream = await engine(wellBehaved);
    const config = configFor([{ url: upstream.url }], {
      keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { budget: { day: { tokens: 40 } } } }],
      quotas: { ...noQuotas, sharedUrlFile: urlFile, usageFile },
    });
    const gateway = await front(config, {
      clock: { ...systemClock, wall: () => new Date(Date.now() + 3 * dayMs) },
    });
    await connected([gateway.url]);
    await until('the day of the store is known', async () => {
      return (await gateway.metric('berth_gateway_budget_remaining', 'window="day"')) === 0;
    });
    const reply = await postChat(gateway.url, {}, { headers: { authorization: 'Bearer a' } });
    expect(reply.status).toBe(429);
    expect(upstream.seen).toEqual([]);
  });
});
