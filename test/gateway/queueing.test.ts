import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, engine, errorOf, front, postChat, sha256, start, until } from './harness.ts';

/** Rules 3, 12 and 20: slots are what the engine batches, the queue is bounded, keys take turns. */

/** Holds every request until it is let go. */
function holding(): { script: (turn: Turn) => void; held: Turn[] } {
  const held: Turn[] = [];
  return { script: (turn) => void held.push(turn), held };
}

test('rule 20: an engine never gets more requests at once than it has slots', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 2 } });
  const replies = Array.from({ length: 6 }, () => postChat(gateway.url));
  for (let served = 0; served < 6; served += 1) {
    await until('a request is there', () => held.length > 0);
    expect(await gateway.metric('berth_gateway_inflight')).toBeLessThanOrEqual(2);
    held.shift()?.json(200, {});
  }
  expect((await Promise.all(replies)).every((reply) => reply.status === 200)).toBe(true);
});

test('rule 20: a full queue answers 429 with the time to come back', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 1 }, limits: { queue: 1 } });
  const served = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const waits = postChat(gateway.url);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const refused = await postChat(gateway.url);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(await errorOf(refused)).toMatchObject({ type: 'rate_limit_error', code: 'queue_full' });
  expect(await gateway.metric('berth_gateway_limit_rejects_total', 'reason="queue_full"')).toBe(1);
  held.shift()?.json(200, {});
  await until('the next is served', () => held.length === 1);
  held.shift()?.json(200, {});
  expect([(await served).status, (await waits).status]).toEqual([200, 200]);
});

test('rule 20: who leaves the queue gives its place to another at once, and no slot is lost on it', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 1 }, limits: { queue: 1 } });
  async function waiting(count: number): Promise<void> {
    await until('they wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === count);
  }
  const served = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const leaving = new AbortController();
  const left = postChat(gateway.url, {}, { signal: leaving.signal }).catch(() => null);
  await waiting(1);
  leaving.abort();
  await left;
  await waiting(0);
  const waits = postChat(gateway.url);
  await waiting(1);
  held.shift()?.json(200, {});
  await until('the one that stayed is served', () => held.length === 1);
  held.shift()?.json(200, {});
  expect([(await served).status, (await waits).status]).toEqual([200, 200]);
  await until('its slot is free', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
});

test('rule 20: a wait beyond the deadline answers 504', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 1 }, limits: { queueMs: 150 } });
  const served = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const late = await postChat(gateway.url);
  expect(late.status).toBe(504);
  expect((await errorOf(late)).code).toBe('queue_timeout');
  held[0]?.json(200, {});
  expect((await served).status).toBe(200);
});

test('rule 20: a deadline may be longer than a timer can take', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 1 }, limits: { queueMs: 30 * 86_400_000 } });
  const first = postChat(gateway.url);
  await until('one is served', () => held.length === 1);
  const second = postChat(gateway.url);
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  // A timer that is asked for too much goes off within a millisecond.
  await new Promise((resolve) => setTimeout(resolve, 100));
  held.shift()?.json(200, {});
  await until('the other one is served', () => held.length === 1);
  held.shift()?.json(200, {});
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
});

test('rule 20: keys take turns in the queue', async () => {
  const { script, held } = holding();
  const keys = ['busy', 'quiet'].map((id) => ({ id, name: id, sha256: sha256(id) }));
  const { gateway } = await start(script, { upstream: { slots: 1 }, keys });
  function ask(key: string, user: string): Promise<Response> {
    return postChat(gateway.url, { user }, { headers: { authorization: `Bearer ${key}` } });
  }
  const replies = [ask('busy', 'b0')];
  await until('the first is served', () => held.length === 1);
  for (const [i, [key, user]] of [
    ['busy', 'b1'],
    ['busy', 'b2'],
    ['busy', 'b3'],
    ['quiet', 'q1'],
  ].entries()) {
    replies.push(ask(key as string, user as string));
    await until('it waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === i + 1);
  }
  const order: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    await until('a request is there', () => held.length > 0);
    const turn = held.shift() as Turn;
    order.push((JSON.parse(turn.request.body) as { user: string }).user);
    turn.json(200, {});
  }
  expect(order).toEqual(['b0', 'b1', 'q1', 'b2', 'b3']);
  await Promise.all(replies);
});

test('requests go to the replica with the most room', async () => {
  const [small, large] = [holding(), holding()];
  const engines = await Promise.all([engine(small.script), engine(large.script)]);
  const gateway = await front(
    configFor([
      { url: engines[0].url, slots: 1 },
      { url: engines[1].url, slots: 3 },
    ]),
  );
  const replies = Array.from({ length: 4 }, () => postChat(gateway.url));
  await until('all are placed', () => small.held.length + large.held.length === 4);
  expect([small.held.length, large.held.length]).toEqual([1, 3]);
  for (const turn of [...small.held, ...large.held]) turn.json(200, {});
  await Promise.all(replies);
});

test('a route splits its requests by weight, and the whole goes where something can be reached', async () => {
  const engines = await Promise.all([engine(wellBehaved), engine(wellBehaved)]);
  const config = configFor(
    engines.map(({ url }, i) => ({ url, deployment: `d${i}` })),
    {
      routes: [
        {
          name: 'm',
          to: [
            { deployment: 'd0', weight: 9 },
            { deployment: 'd1', weight: 1 },
          ],
          aliasOf: null,
        },
      ],
    },
  );
  const gateway = await front(config);
  await Promise.all(Array.from({ length: 200 }, () => postChat(gateway.url)));
  const second = engines[1].seen.length;
  expect(second).toBeGreaterThan(2);
  expect(second).toBeLessThan(60);
  await engines[0].stop();
  const statuses = [];
  for (let i = 0; i < 10; i += 1) statuses.push((await postChat(gateway.url)).status);
  expect(statuses).toEqual(Array.from({ length: 10 }, () => 200));
});

test('rule 19: a body that waits in the queue counts, and is given back', async () => {
  const { script, held } = holding();
  const { gateway } = await start(script, { upstream: { slots: 1 } });
  const replies = [postChat(gateway.url), postChat(gateway.url)];
  await until('one waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(2 * chat().length);
  held.shift()?.json(200, {});
  await until('the next is served', () => held.length === 1);
  held.shift()?.json(200, {});
  await Promise.all(replies);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
});
