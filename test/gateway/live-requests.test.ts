import { expect, test } from 'vitest';
import { LiveRequests } from '../../src/domain/live-request.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Turn } from './fake-upstream.ts';
import { chat, configFor, dial, engine, errorOf, front, post, postChat, start, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

async function live(gateway: RunningGateway): Promise<LiveRequests> {
  return LiveRequests.parse(await gateway.control({ do: 'requests' }));
}

async function liveIn(
  gateway: RunningGateway,
  phase: string,
  count = 1,
): Promise<LiveRequests['requests'][number]> {
  await until(`${count} requests are ${phase}`, async () => {
    const { requests } = await live(gateway);
    return requests.filter((one) => one.phase === phase).length === count;
  });
  const found = (await live(gateway)).requests.find((one) => one.phase === phase);
  if (!found) throw new Error('It is gone.');
  return found;
}

test('every request under way is listed with its phase, and gone from the list when it has ended', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const gateway = await front(configFor([{ url: upstream.url, slots: 1 }]));
  const first = postChat(gateway.url, { stream: true }, { headers: { 'x-request-id': 'first' } });
  expect(await liveIn(gateway, 'waiting')).toMatchObject({
    id: 'first',
    key: 'anonymous',
    endpoint: '/v1/chat/completions',
    model: 'm',
    instance: 'u0',
    pieces: 0,
  });
  const second = postChat(gateway.url);
  await liveIn(gateway, 'queued');
  held[0]?.stream();
  held[0]?.chunk(chatEvent('one'));
  expect((await liveIn(gateway, 'replying')).pieces).toBe(1);
  upstream.setScript(wellBehaved);
  held[0]?.endChunks();
  await (await first).text();
  await (await second).text();
  await until('nothing is under way', async () => (await live(gateway)).total === 0);
});

test('a stream that is cancelled ends with an error event and no [DONE], and its slot is free', async () => {
  const { upstream, gateway } = await start(
    (turn) => {
      turn.stream();
      turn.chunk(chatEvent('begun'));
    },
    { upstream: { slots: 1 } },
  );
  const stream = await postChat(gateway.url, { stream: true });
  const { id } = await liveIn(gateway, 'replying');
  await gateway.control({ do: 'cancel', request: id });
  const text = await stream.text();
  expect(text).toContain('"code":"request_cancelled"');
  expect(text).not.toContain('[DONE]');
  await until('the engine is told', () => upstream.seen[0]?.cut === true);
  expect(await gateway.metric('berth_gateway_upstream_aborts_total', 'cause="operator"')).toBe(1);
  upstream.setScript(wellBehaved);
  expect((await postChat(gateway.url)).status).toBe(200);
});

test('of two requests that bear the same id each can be ended by itself', async () => {
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn));
  const same = { headers: { 'x-request-id': 'job-1' } };
  const first = postChat(gateway.url, { user: 'first' }, same);
  await liveIn(gateway, 'waiting');
  expect((await live(gateway)).requests.map(({ id }) => id)).toEqual(['job-1']);
  const second = postChat(gateway.url, { user: 'second' }, same);
  await liveIn(gateway, 'waiting', 2);
  await until('both are at the engine', () => held.length === 2);
  const [older, newer] = (await live(gateway)).requests.map(({ id }) => id);
  expect([older, newer]).toEqual([
    expect.stringMatching(/^job-1~\d+$/),
    expect.stringMatching(/^job-1~\d+$/),
  ]);
  expect(newer).not.toBe(older);
  await gateway.control({ do: 'cancel', request: newer ?? '' });
  const ended = await second;
  expect([ended.status, ended.headers.get('x-request-id')]).toEqual([503, 'job-1']);
  held.find(({ request }) => request.body.includes('first'))?.json(200, {});
  expect((await first).status).toBe(200);
});

test('a request that is cancelled before its reply, waiting or in the queue, is answered with an error', async () => {
  const { upstream, gateway } = await start(() => {}, { upstream: { slots: 1 } });
  const busy = postChat(gateway.url);
  const { id: served } = await liveIn(gateway, 'waiting');
  const waits = postChat(gateway.url);
  const { id: queued } = await liveIn(gateway, 'queued');
  for (const request of [queued, served]) await gateway.control({ do: 'cancel', request });
  for (const reply of await Promise.all([busy, waits])) {
    expect([reply.status, (await errorOf(reply)).code]).toEqual([503, 'request_cancelled']);
    expect(reply.headers.get('x-should-retry')).toBe('false');
  }
  expect(upstream.seen.length).toBe(1);
  await expect(gateway.control({ do: 'cancel', request: served })).rejects.toMatchObject({
    code: 'REQUEST_UNKNOWN',
  });
});

test('a request that is cancelled while its body comes is told at once, and its connection serves the next one', async () => {
  const { upstream, gateway } = await start(wellBehaved);
  const whole = post('/v1/chat/completions', chat());
  const wire = await dial(gateway.port, whole.slice(0, -10));
  const { id } = await liveIn(gateway, 'reading');
  await until('the body is held', async () => (await gateway.metric('berth_gateway_body_bytes')) > 0);
  await gateway.control({ do: 'cancel', request: id });
  await until('it is told', () => wire.text().includes('"code":"request_cancelled"'));
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
  wire.socket.write(whole.slice(-10) + whole);
  await until('the next is served', () => wire.text().includes('HTTP/1.1 200 OK'));
  expect(upstream.seen.length).toBe(1);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="499"')).toBe(0);
  wire.socket.destroy();
});
