import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, engine, errorOf, front, postChat, sha256, turnedClock, until } from './harness.ts';
import type { RunningGateway, UpstreamShape } from './harness.ts';

/** Rules 12, 19 and 20, and the limit that follows the engine: on a clock that the test turns. */

interface Held {
  readonly gateway: RunningGateway;
  readonly held: Turn[];
  readonly turn: (ms: number) => void;
}

/** An engine that holds every request, and tells `figures` of itself. */
async function holding(
  upstream: Partial<UpstreamShape>,
  limits: Parameters<typeof configFor>[1] = {},
  figures: () => string = () => '',
): Promise<Held> {
  const held: Turn[] = [];
  const { url } = await engine((turn) => {
    if (turn.request.path !== '/metrics') held.push(turn);
    else {
      const text = figures();
      turn.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      turn.done();
    }
  });
  const clock = turnedClock();
  const gateway = await front(configFor([{ url, ...upstream }], limits), { clock });
  return { gateway, held, turn: clock.advance };
}

async function serveAll(held: Turn[], replies: readonly Promise<Response>[]): Promise<number[]> {
  for (let served = 0; served < replies.length; served += 1) {
    await until('a request is there', () => held.length > 0);
    held.shift()?.json(200, {});
  }
  return (await Promise.all(replies)).map(({ status }) => status);
}

test('what comes faster than the requests per second waits until it is its turn', async () => {
  const { gateway, held, turn } = await holding({ limits: { rps: 1 } });
  const replies = [postChat(gateway.url), postChat(gateway.url)];
  await until('one is served', () => held.length === 1);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  turn(1000);
  expect(await serveAll(held, replies)).toEqual([200, 200]);
});

test('rule 12: who would certainly wait too long is told at once, with the time to come back', async () => {
  const { gateway, held } = await holding({ limits: { rps: 0.01 } }, { limits: { queueMs: 5000 } });
  const served = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const refused = await postChat(gateway.url);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(100);
  expect((await errorOf(refused)).code).toBe('wait_too_long');
  expect(await gateway.metric('berth_gateway_limit_rejects_total', 'reason="wait_too_long"')).toBe(1);
  expect(await serveAll(held, [served])).toEqual([200]);
});

test('requests that would overfill the cache wait, and go when it has room', async () => {
  const { gateway, held } = await holding({ slots: 16, limits: { kvTokens: 1000 } });
  const replies = Array.from({ length: 4 }, () => postChat(gateway.url, { max_tokens: 5000 }));
  await until('three fit', () => held.length === 3);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(await gateway.metric('berth_gateway_limit', 'kind="kv_tokens"')).toBe(900);
  expect(await gateway.metric('berth_gateway_kv_tokens_held')).toBeGreaterThan(750);
  expect(await serveAll(held, replies)).toEqual([200, 200, 200, 200]);
  expect(await gateway.metric('berth_gateway_kv_tokens_held')).toBe(0);
});

test('a completion by the path of its model holds as much of the cache as any other', async () => {
  const { gateway, held } = await holding({ slots: 16, limits: { kvTokens: 1000 } });
  function holds(): Promise<number> {
    return gateway.metric('berth_gateway_kv_tokens_held');
  }
  const replies = [postChat(gateway.url)];
  await until('it is served', () => held.length === 1);
  const one = await holds();
  expect(one).toBeGreaterThan(256);
  replies.push(fetch(`${gateway.url}/upstream/m/v1/chat/completions`, { method: 'POST', body: chat() }));
  await until('both are served', () => held.length === 2);
  expect(await holds()).toBe(2 * one);
  // Any other path has its engine compute no answer.
  replies.push(fetch(`${gateway.url}/upstream/m/props`));
  await until('all are served', () => held.length === 3);
  expect(await holds()).toBe(2 * one);
  expect(await serveAll(held, replies)).toEqual([200, 200, 200]);
});

test('of a client that bounds its answer no more than that is kept free, also where no caller is limited', async () => {
  const { gateway, held } = await holding({ slots: 16, limits: { kvTokens: 1000 } });
  const replies = Array.from({ length: 8 }, () => postChat(gateway.url, { max_tokens: 20 }));
  await until('all are there', () => held.length === 8);
  expect(await gateway.metric('berth_gateway_kv_tokens_held')).toBeLessThan(900);
  expect(await serveAll(held, replies)).toEqual(replies.map(() => 200));
});

test('an answer longer than was foreseen takes more of the cache as it comes, and all of it goes back', async () => {
  const { gateway, held } = await holding({ slots: 16, limits: { kvTokens: 1000 } });
  function tokens(): Promise<number> {
    return gateway.metric('berth_gateway_kv_tokens_held');
  }
  const stream = postChat(gateway.url, { stream: true });
  await until('it is served', () => held.length === 1);
  // The prompt, and an answer of 256 tokens as long as none has come.
  const foreseen = await tokens();
  held[0]?.stream();
  held[0]?.chunk(chatEvent('x').repeat(256));
  const text = (await stream).text();
  expect(await tokens()).toBe(foreseen);
  held[0]?.chunk(chatEvent('x').repeat(500));
  await until('all of it is counted', async () => (await tokens()) >= foreseen + 500);
  expect(await tokens()).toBeLessThan(foreseen + 532);
  const next = postChat(gateway.url);
  await until('another waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(held.length).toBe(1);
  held[0]?.endChunks();
  await text;
  await until('another is served', () => held.length === 2);
  held[1]?.json(200, {});
  expect((await next).status).toBe(200);
  expect(await tokens()).toBe(0);
});

test('an engine that has requests waiting gets fewer at once, and the metrics say so', async () => {
  const waiting = 'vllm:num_requests_running 4\nvllm:num_requests_waiting 3\n';
  const { gateway, held, turn } = await holding({ slots: 4, metricsPath: '/metrics' }, {}, () => waiting);
  const replies = Array.from({ length: 4 }, () => postChat(gateway.url));
  await until('all are there', () => held.length === 4);
  await until('the limit is cut', async () => {
    turn(1000);
    return (await gateway.metric('berth_gateway_limit', 'kind="slots"')) === 3;
  });
  expect(await gateway.metric('berth_gateway_engine_requests', 'kind="waiting"')).toBe(3);
  expect(await gateway.metric('berth_gateway_slots')).toBe(4);
  expect(await serveAll(held, replies)).toEqual([200, 200, 200, 200]);
});

test('rule 22: figures that cannot be read bound nothing', async () => {
  const { gateway, held, turn } = await holding(
    { slots: null, metricsPath: '/metrics' },
    {},
    () => 'no figures',
  );
  const replies = Array.from({ length: 12 }, () => postChat(gateway.url));
  for (let i = 0; i < 5; i += 1) {
    turn(1000);
    await gateway.metric('berth_gateway_inflight');
  }
  await until('all are there', () => held.length === 12);
  expect(await gateway.metric('berth_gateway_limit')).toBe(0);
  await serveAll(held, replies);
});

test('rule 22: figures that can no longer be read bound nothing after half a minute', async () => {
  let text = 'vllm:num_requests_running 4\nvllm:num_requests_waiting 3\n';
  const { gateway, held, turn } = await holding({ slots: 4, metricsPath: '/metrics' }, {}, () => text);
  function limit(): Promise<number> {
    return gateway.metric('berth_gateway_limit', 'kind="slots"');
  }
  const replies = Array.from({ length: 4 }, () => postChat(gateway.url));
  await until('all are there', () => held.length === 4);
  await until('the limit is cut', async () => {
    turn(1000);
    return (await limit()) === 3;
  });
  text = 'no figures';
  let seconds = 0;
  await until('the cut is over', async () => {
    turn(1000);
    seconds += 1;
    return (await limit()) === 4;
  });
  expect(seconds).toBeGreaterThanOrEqual(25);
  expect(await serveAll(held, replies)).toEqual([200, 200, 200, 200]);
});

test('rule 19: the queue is bounded by the size of the bodies that wait in it', async () => {
  const { gateway, held } = await holding({ slots: 1 }, { limits: { queueBytes: 300 } });
  const served = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const large = await postChat(gateway.url, { user: 'x'.repeat(300) });
  expect(large.status).toBe(429);
  expect(await errorOf(large)).toMatchObject({
    code: 'queue_full',
    message: expect.stringContaining('with this body'),
  });
  const small = postChat(gateway.url);
  await until('a small one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(await serveAll(held, [served, small])).toEqual([200, 200]);
  // What waited before is given back: as much may wait again.
  const again = ['', 'x'.repeat(60), 'x'.repeat(60)].map((user) => postChat(gateway.url, { user }));
  await until('two wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === 2);
  expect(await serveAll(held, again)).toEqual([200, 200, 200]);
});

test('what was spent of a budget is known after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth usage '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { url } = await engine(wellBehaved);
  const config = configFor([{ url }], {
    anonymous: false,
    keys: ['a', 'b'].map((id) => ({ id, name: id, sha256: sha256(id) })),
    quotas: {
      ...noQuotas,
      eachKey: { budget: { month: { usd: 0.00002 } } },
      prices: { m: { input: 1, output: 2 } },
      usageFile: join(folder, 'state', 'usage.sqlite'),
    },
  });
  async function ask(gateway: RunningGateway, key: string): Promise<number> {
    const reply = await postChat(gateway.url, {}, { headers: { authorization: `Bearer ${key}` } });
    await reply.text();
    return reply.status;
  }
  const first = await front(config);
  expect([await ask(first, 'a'), await ask(first, 'a'), await ask(first, 'a')]).toEqual([200, 200, 429]);
  await first.close();
  const second = await front(config);
  expect([await ask(second, 'a'), await ask(second, 'b')]).toEqual([429, 200]);
});
