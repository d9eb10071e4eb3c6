import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { openUsageStore } from '../../src/io/usage-store.ts';
import type { Budget } from '../../src/domain/key-limits.ts';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, errorOf, front, postChat, sha256, until } from './harness.ts';

test('what a key has spent outlives a gateway that is killed: the next one refuses the key, and no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth usage '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const usageFile = join(folder, 'usage.sqlite');
  const upstream = await engine(wellBehaved);
  const limits = { budget: { month: { tokens: 20 } } };
  const config = configFor([{ url: upstream.url }], {
    keys: ['a', 'b'].map((id) => ({ id, name: id, sha256: sha256(id), limits })),
    quotas: { ...noQuotas, usageFile },
  });
  function ask(url: string, key: string): Promise<Response> {
    return postChat(url, {}, { headers: { authorization: `Bearer ${key}` } });
  }

  const first = await runProgram(config);
  const url = await first.url();
  for (let i = 0; i < 2; i += 1) expect((await ask(url, 'a')).status).toBe(200);
  const store = await openUsageStore(usageFile);
  onTestFinished(() => store.close());
  await until('what was spent is written', () => store.since('2000-01-01')[0]?.requests === 2);
  first.child.kill('SIGKILL');
  await first.ended;

  const next = await (await runProgram(config)).url();
  const refused = await ask(next, 'a');
  expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'insufficient_quota']);
  expect((await ask(next, 'b')).status).toBe(200);
  expect(upstream.seen.length).toBe(3);
});

test('a reload that names another file of usage counts nothing twice, and loses nothing that is under way', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth usage '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [one, other] = [join(folder, 'one.sqlite'), join(folder, 'other.sqlite')];
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  function config(usageFile: string, url = upstream.url): GatewayConfig {
    const keys = [
      { id: 'a', name: 'a', sha256: sha256('a'), limits: { budget: { month: { tokens: 1000 } } } },
    ];
    return configFor([{ url }], { keys, quotas: { ...noQuotas, usageFile } });
  }
  const gateway = await front(config(one));
  function left(): Promise<number> {
    return gateway.metric('berth_gateway_budget_remaining', 'window="month"');
  }
  async function ask(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const reply = postChat(gateway.url, { max_tokens: 10 }, { headers: { authorization: 'Bearer a' } });
    await until('the engine has it', () => held.length === 1);
    await meanwhile();
    const turn = held.shift();
    if (turn) wellBehaved(turn);
    expect((await reply).status).toBe(200);
  }
  await ask();
  const cost = 1000 - (await left());
  expect(cost).toBeGreaterThan(0);
  let asked = 1;
  for (const file of [other, one, other, one]) {
    await gateway.reload(config(file));
    await ask();
    asked += 1;
    expect(await left()).toBe(1000 - asked * cost);
  }
  await ask(() => gateway.reload(config(other)));
  await expect(gateway.reload(config(one, 'no address'))).rejects.toThrow('Invalid URL');
  await ask();
  expect(await left()).toBe(1000 - 7 * cost);
  const store = await openUsageStore(other);
  onTestFinished(() => store.close());
  // Two of before, what began under the other file, and what came after a reload that was in vain.
  await until('all are written', () => store.since('2000-01-01')[0]?.requests === 4);
});

test('a route without a price of its own costs what the deployment costs that serves it', async () => {
  const upstream = await engine(wellBehaved);
  const shapes = ['dear', 'cheap'].map((deployment) => ({ url: upstream.url, deployment }));
  const limits = { budget: { day: { usd: 1000 } } };
  const arms = { dear: 1, cheap: 0 };
  const to = Object.entries(arms).map(([deployment, weight]) => ({ deployment, weight }));
  const routes = [
    { name: 'm', to, aliasOf: null },
    { name: 'nick', to, aliasOf: 'm' },
    { name: 'turned', to: to.map((arm) => ({ ...arm, weight: 1 - arm.weight })), aliasOf: null },
    { name: 'priced', to, aliasOf: null },
  ];
  const gateway = await front(
    configFor(shapes, {
      routes,
      keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits }],
      // Dollars for each token of an answer.
      quotas: {
        ...noQuotas,
        prices: { dear: { input: 0, output: 10e6 }, priced: { input: 0, output: 1e6 } },
      },
    }),
  );
  async function cost(model: string): Promise<number> {
    async function left(): Promise<number> {
      return gateway.metric('berth_gateway_budget_remaining', 'unit="usd"');
    }
    const before = await left();
    const headers = { authorization: 'Bearer a' };
    expect((await postChat(gateway.url, { model, max_tokens: 1 }, { headers })).status).toBe(200);
    return before - (await left());
  }
  await cost('m');
  const price = await cost('m');
  expect(price).toBeGreaterThan(0);
  expect([await cost('nick'), await cost('turned'), await cost('priced')]).toEqual([price, 0, price / 10]);
});

test('a key with a budget of its own keeps what else is said for each key', async () => {
  const upstream = await engine(wellBehaved);
  function keyed(id: string, budget: Budget) {
    return { id, name: id, sha256: sha256(id), limits: { budget } };
  }
  const gateway = await front(
    configFor([{ url: upstream.url }], {
      keys: [
        keyed('more', { day: { usd: 5 } }),
        keyed('month', { month: { tokens: 100_000 } }),
        keyed('own', { day: { tokens: 100_000 } }),
      ],
      quotas: { ...noQuotas, eachKey: { budget: { day: { tokens: 1 } } } },
    }),
  );
  async function statuses(key: string): Promise<number[]> {
    const headers = { authorization: `Bearer ${key}` };
    const all: number[] = [];
    for (let i = 0; i < 2; i += 1) all.push((await postChat(gateway.url, {}, { headers })).status);
    return all;
  }
  expect(await statuses('more')).toEqual([200, 429]);
  expect(await statuses('month')).toEqual([200, 429]);
  expect(await statuses('own')).toEqual([200, 200]);
});
