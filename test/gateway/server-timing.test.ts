import { expect, test } from 'vitest';
import { wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, dial, post, postChat, start, until } from './harness.ts';

/** What a reply says of where its time went, in milliseconds. */
function timingIn(head: string): { queue: number; upstream: number; gateway: number } {
  const found = /queue;dur=([\d.]+), upstream_ttfb;dur=([\d.]+), gateway;dur=([\d.]+)/.exec(head);
  const [, queue, upstream, gateway] = (found ?? []).map(Number);
  return { queue: queue ?? -1, upstream: upstream ?? -1, gateway: gateway ?? -1 };
}

function passed(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() > end;
}

test('a body that its client sends slowly counts neither as a wait in line nor as time of the gateway', async () => {
  const { gateway } = await start(wellBehaved);
  const request = post('/v1/chat/completions', chat());
  const wire = await dial(gateway.port, request.slice(0, -10));
  await until('a while has gone by', passed(300));
  const sentAt = performance.now();
  wire.socket.write(request.slice(-10));
  await until('it is answered', () => wire.text().includes('\r\n\r\n'));
  const { queue, upstream, gateway: own } = timingIn(wire.text());
  expect(queue).toBe(0);
  expect(upstream + own).toBeLessThanOrEqual(performance.now() - sentAt + 1);
  expect(await gateway.metric('berth_gateway_queue_wait_seconds_sum')).toBe(0);
  wire.socket.destroy();
});

test('a wait in line is told as one, and not as time of the gateway', async () => {
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), { upstream: { slots: 1 } });
  const first = postChat(gateway.url);
  await until('the first is served', () => held.length === 1);
  const askedAt = performance.now();
  const second = postChat(gateway.url);
  await until('the second waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await until('a while has gone by', passed(100));
  held[0]?.json(200, {});
  await (await first).text();
  await until('the second is served', () => held.length === 2);
  held[1]?.json(200, {});
  const timing = timingIn(`${(await second).headers.get('server-timing')}`);
  expect(timing.queue).toBeGreaterThanOrEqual(100);
  expect(timing.queue + timing.gateway + timing.upstream).toBeLessThanOrEqual(
    performance.now() - askedAt + 1,
  );
  expect(await gateway.metric('berth_gateway_queue_wait_seconds_sum')).toBeGreaterThanOrEqual(0.1);
});
