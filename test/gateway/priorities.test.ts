import { expect, test } from 'vitest';
import type { Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, sha256, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rule 20: bands in the queue, as far as a key may. */

const keys = [
  { id: 'boss', name: 'boss', sha256: sha256('boss'), limits: { priority: 'high' as const } },
  { id: 'batch', name: 'batch', sha256: sha256('batch'), limits: { priority: 'low' as const } },
  { id: 'other', name: 'other', sha256: sha256('other') },
];

/** One slot that is taken, by a request that ends when the first of `held` is answered. */
async function busy(limits: { queue?: number } = {}): Promise<{ gateway: RunningGateway; held: Turn[] }> {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const gateway = await front(configFor([{ url: upstream.url, slots: 1 }], { keys, limits }));
  void ask(gateway, 'other', 'first');
  await until('the slot is taken', () => held.length === 1);
  return { gateway, held };
}

function ask(
  gateway: RunningGateway,
  key: string,
  user: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return postChat(gateway.url, { user }, { headers: { authorization: `Bearer ${key}`, ...headers } });
}

function waiting(gateway: RunningGateway, count: number): Promise<void> {
  return until(`${count} wait`, async () => (await gateway.metric('berth_gateway_queue_depth')) === count);
}

function userOf(turn: Turn | undefined): string {
  return (JSON.parse(turn?.request.body ?? '{}') as { user: string }).user;
}

test('those who wait are served by band, and a header lowers it but never lifts it above the key', async () => {
  const { gateway, held } = await busy();
  const asked = [
    ['batch', 'low', {}],
    ['batch', 'low that asks for more', { 'x-berth-priority': 'high' }],
    ['boss', 'high that asks for less', { 'x-berth-priority': 'low' }],
    ['other', 'normal', {}],
    ['boss', 'high', {}],
  ] as const;
  const replies: Promise<Response>[] = [];
  for (const [i, [key, user, headers]] of asked.entries()) {
    replies.push(ask(gateway, key, user, headers));
    await waiting(gateway, i + 1);
  }
  const order: string[] = [];
  for (let served = 0; served < asked.length; served += 1) {
    held[served]?.json(200, {});
    await until('the next is served', () => held.length === served + 2);
    order.push(userOf(held.at(-1)));
  }
  held.at(-1)?.json(200, {});
  expect(order).toEqual(['high', 'normal', 'low', 'high that asks for less', 'low that asks for more']);
  expect((await Promise.all(replies)).map((reply) => reply.status)).toEqual([200, 200, 200, 200, 200]);
});

test('a full queue gives the place of a lower band to a higher one', async () => {
  const { gateway, held } = await busy({ queue: 1 });
  const low = ask(gateway, 'batch', 'low');
  await waiting(gateway, 1);
  const high = ask(gateway, 'boss', 'high');
  expect((await errorOf(await low)).code).toBe('queue_full');
  expect((await errorOf(await ask(gateway, 'boss', 'one more'))).code).toBe('queue_full');
  held[0]?.json(200, {});
  await until('the high one is served', () => held.length === 2);
  expect(userOf(held[1])).toBe('high');
  held[1]?.json(200, {});
  expect((await high).status).toBe(200);
});
