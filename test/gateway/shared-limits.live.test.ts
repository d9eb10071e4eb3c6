import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, errorOf, postChat, readMetric, sha256, until } from './harness.ts';
import { connected, freePort, redisServer, startRedis, store } from './redis.ts';

describe.skipIf(!redisServer.there)(`several gateways (${redisServer.name})`, () => {
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

  test('count requests at once together; what a crashed gateway had under way ends by itself', async () => {
    const { urlFile } = await store();
    const turns: Turn[] = [];
    const upstream = await engine((turn) => void turns.push(turn));
    const config = configFor([{ url: upstream.url }], {
      anonymous: false,
      keys: [{ id: 'a', name: 'a', sha256: sha256('a'), limits: { concurrent: 1 } }],
      quotas: { ...noQuotas, sharedUrlFile: urlFile },
    });
    const [one, two] = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all([one.url(), two.url()]);
    await connected(urls);
    const headers = { authorization: 'Bearer a' };
    const lost = postChat(urls[0] ?? '', {}, { headers }).catch(() => 'lost');
    await until('the engine has it', () => turns.length === 1);
    const refused = await postChat(urls[1] ?? '', {}, { headers });
    expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

    one.child.kill('SIGKILL');
    expect(await lost).toBe('lost');
    upstream.setScript(wellBehaved);
    await until('what it had under way counts no more', async () => {
      const reply = await postChat(urls[1] ?? '', {}, { headers });
      await reply.text();
      return reply.status === 200;
    });
  });

  test("know where each other's stored responses lie, as long as their store is there", async () => {
    const { urlFile, redis } = await store();
    const engines = await Promise.all(['a', 'b'].map((name) => engine(keeping(name))));
    const config = configFor(
      engines.map(({ url }) => ({ url })),
      {
        keys: ['x', 'y'].map((name) => ({ id: name, name, sha256: sha256(name) })),
        quotas: { ...noQuotas, sharedUrlFile: urlFile },
      },
    );
    const programs = await Promise.all([runProgram(config), runProgram(config)]);
    const [one = '', two = ''] = await Promise.all(programs.map((program) => program.url()));
    await connected([one, two]);
    async function ask(url: string, key = 'x', body?: object): Promise<[number, string]> {
      const headers = { authorization: `Bearer ${key}` };
      const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
      const reply = await fetch(url, { ...init, headers });
      return [reply.status, ((await reply.json()) as { id?: string }).id ?? ''];
    }
    for (let i = 0; i < 4; i += 1) {
      const [, id] = await ask(`${one}/v1/responses`, 'x', { model: 'm', input: 'Hi' });
      const path = `/v1/responses/${id}`;
      await until('the other knows it', async () => (await ask(two + path))[0] === 200);
      expect(await ask(two + path)).toEqual([200, id]);
      expect((await ask(two + path, 'y'))[0]).toBe(404);
      const more = { model: 'm', input: 'Go on', previous_response_id: id };
      for (let next = 0; next < 3; next += 1)
        expect((await ask(`${two}/v1/responses`, 'x', more))[1]?.[5]).toBe(id[5]);
      expect((await ask(`${two}/v1/responses`, 'y', more))[0]).toBe(404);
      // Nor does it become that of one whose reply repeats its id.
      await ask(`${two}/v1/responses`, 'y', { model: 'm', input: 'Hi', repeat: id });
      expect((await ask(two + path, 'y'))[0]).toBe(404);
      expect(await ask(two + path)).toEqual([200, id]);
    }
    const [, last] = await ask(`${one}/v1/responses`, 'x', { model: 'm', input: 'Hi' });
    redis.kill('SIGKILL');
    await until('the store is gone', async () => {
      return (await readMetric(two, 'berth_gateway_shared_limits_up', '')) === 0;
    });
    expect((await ask(`${two}/v1/responses/${last}`))[0]).toBe(404);
    expect(await ask(`${one}/v1/responses/${last}`)).toEqual([200, last]);
  });

  test('send one beginning to one replica by prefix affinity, each by itself, with their store and without it', async () => {
    const { urlFile, redis } = await store();
    const engines = await Promise.all(Array.from({ length: 4 }, () => engine(wellBehaved)));
    const config = configFor(
      engines.map(({ url }) => ({ url })),
      { policies: { d: { kind: 'prefix-affinity' } }, quotas: { ...noQuotas, sharedUrlFile: urlFile } },
    );
    const programs = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all(programs.map((program) => program.url()));
    const [one = '', two = ''] = urls;
    await connected(urls);
    async function home(url: string, talk: number, turns: number): Promise<string | null> {
      const messages = Array.from({ length: turns }, (_, turn) => ({
        role: 'user',
        content: `${talk}.${turn}: ${'what this talk is about '.repeat(40)}`,
      }));
      const reply = await postChat(url, { messages });
      await reply.text();
      return reply.headers.get('x-berth-upstream');
    }
    const talks = Array.from({ length: 24 }, (_, talk) => talk);
    const homes: (string | null)[] = [];
    for (const talk of talks) homes.push(await home(talk % 2 ? one : two, talk, 1));
    expect(new Set(homes).size).toBe(4);
    for (const talk of talks) expect(await home(talk % 2 ? two : one, talk, 2)).toBe(homes[talk]);

    redis.kill('SIGKILL');
    await until('the store is gone', async () => {
      return (await readMetric(one, 'berth_gateway_shared_limits_up', '')) === 0;
    });
    for (const talk of [100, 101, 102, 103, 104, 105])
      expect(await home(two, talk, 1)).toBe(await home(one, talk, 1));
  });

  test('divide the slots of an instance, lend what they do not use, and serve all who wait', async () => {
    const { urlFile, redis } = await store();
    let under = 0;
    let most = 0;
    const upstream = await engine(async (turn) => {
      most = Math.max(most, (under += 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      under -= 1;
      wellBehaved(turn);
    });
    const config = configFor([{ url: upstream.url, slots: 3 }], {
      limits: { queue: 100 },
      quotas: { ...noQuotas, sharedUrlFile: urlFile },
    });
    const programs = await Promise.all([runProgram(config), runProgram(config)]);
    const [one = '', two = ''] = await Promise.all(programs.map((program) => program.url()));
    function slotsOf(url: string): Promise<number> {
      return readMetric(url, 'berth_gateway_limit', 'kind="slots"');
    }
    async function statuses(urls: readonly string[]): Promise<number[]> {
      const replies = await Promise.all(urls.map((url) => postChat(url)));
      await Promise.all(replies.map((reply) => reply.text()));
      return [...new Set(replies.map(({ status }) => status))];
    }
    await connected([one, two]);
    await until('the slots are divided', async () => (await slotsOf(one)) + (await slotsOf(two)) <= 3);
    expect(await statuses(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two)))).toEqual([200]);
    expect(most).toBeLessThanOrEqual(3);

    let borrowed = false;
    const alone = Array.from({ length: 8 }, async () => {
      const seen: number[] = [];
      while (!borrowed) seen.push(...(await statuses([one])));
      return seen.every((status) => status === 200);
    });
    await until('one has borrowed all', async () => (borrowed = (await slotsOf(one)) === 3));
    expect((await Promise.all(alone)).every(Boolean)).toBe(true);
    expect(most).toBeLessThanOrEqual(3);

    redis.kill('SIGKILL');
    await until('each counts alone', async () => (await slotsOf(one)) === 3 && (await slotsOf(two)) === 3);
    expect(programs[0]?.stderr()).toContain('counted here alone');
  });

  test('lend each other the cache of an instance and its requests per second, and together take no more', async () => {
    const { urlFile } = await store();
    let under = 0;
    let most = 0;
    const upstream = await engine(async (turn) => {
      most = Math.max(most, (under += 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      under -= 1;
      wellBehaved(turn);
    });
    const rps = 20;
    const kvTokens = 4000;
    const config = configFor(
      [
        { url: upstream.url, limits: { kvTokens } },
        { url: upstream.url, limits: { rps }, deployment: 'paced' },
      ],
      {
        routes: ['d', 'paced'].map((name) => ({
          name,
          to: [{ deployment: name, weight: 1 }],
          aliasOf: null,
        })),
        limits: { queue: 100, queueMs: 60_000 },
        quotas: { ...noQuotas, sharedUrlFile: urlFile },
      },
    );
    const programs = await Promise.all([runProgram(config), runProgram(config)]);
    const urls = await Promise.all(programs.map((program) => program.url()));
    const [one = ''] = urls;
    async function ask(url: string, model: string): Promise<number> {
      const reply = await postChat(url, { model });
      await reply.text();
      return reply.status;
    }
    async function askBoth(model: string, each: number): Promise<number[]> {
      const all = urls.flatMap((url) => Array.from({ length: each }, () => ask(url, model)));
      return [...new Set(await Promise.all(all))];
    }
    async function limits(kind: string): Promise<number[]> {
      return Promise.all(urls.map((url) => readMetric(url, 'berth_gateway_limit', `kind="${kind}"`)));
    }
    /** With nobody at the other gateway, and somebody always here. */
    async function borrow(model: string, kind: string, enough: number): Promise<void> {
      let has = 0;
      const clients = Array.from({ length: 24 }, async () => {
        while (has < enough) expect(await ask(one, model)).toBe(200);
      });
      await until(`one has borrowed ${kind}`, async () => {
        [has = 0] = await limits(kind);
        return has >= enough;
      });
      await Promise.all(clients);
    }
    await connected(urls);
    await until('both are divided', async () => {
      const [tokens = 0, others = 0] = await limits('kv_tokens');
      const [rate = 0, rates = 0] = await limits('rps');
      return tokens + others <= kvTokens * 0.9 && rate + rates <= rps;
    });

    expect(await askBoth('d', 20)).toEqual([200]);
    // Each takes some 280 tokens: two that had the whole cache each would have 26 under way at first.
    expect(most).toBeLessThanOrEqual(20);
    await borrow('d', 'kv_tokens', kvTokens * 0.85);

    const began = performance.now();
    expect(await askBoth('paced', 30)).toEqual([200]);
    // Two that had the whole rate each would be done in half of the time.
    expect((performance.now() - began) / 1000).toBeGreaterThan((60 * 0.8) / rps - 0.5);
    await borrow('paced', 'rps', rps * 0.8);
  });
});

/** An engine that keeps responses, whose ids begin with its name, and knows none but its own. */
function keeping(name: string): (turn: Turn) => void {
  const kept: string[] = [];
  return (turn) => {
    const { method, path } = turn.request;
    if (method === 'POST') {
      const repeated = /"repeat":"(\w+)"/.exec(turn.request.body)?.[1];
      if (repeated === undefined) kept.push(`resp_${name}${kept.length}`);
      turn.json(200, { object: 'response', id: repeated ?? kept.at(-1) });
      return;
    }
    const id = path.split('/').at(-1) ?? '';
    if (kept.includes(id)) turn.json(200, { object: 'response', id });
    else turn.json(404, { error: { message: 'unknown' } });
  };
}
