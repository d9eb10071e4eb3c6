import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AccessRecord } from '../../src/domain/access-record.ts';
import type { ObserveConfig } from '../../src/domain/observe-config.ts';
import { LiveRequests } from '../../src/domain/live-request.ts';
import type { Turn } from './fake-upstream.ts';
import { configFor, errorOf, front, postChat, sha256, start, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** What a request costs that somebody else than its client ends before anything of an answer has come. */

/** Its tokens are a quarter of its bytes, and a bit. */
const long = { messages: [{ role: 'user', content: 'x'.repeat(2800) }], max_tokens: 100 };
const asLaptop = { headers: { authorization: 'Bearer secret' } };
const keys = [{ id: 'k', name: 'laptop', sha256: sha256('secret'), limits: { tpm: 1500 } }];
const quotas = { eachKey: {}, models: {}, prices: {}, usageFile: null, sharedUrlFile: null };

async function loggedIn(): Promise<{ observe: ObserveConfig; lines: () => Promise<AccessRecord[]> }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth access '));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'access.log');
  const accessLog = { path, format: 'json' as const, maxBytes: 1 << 20, keep: 0 };
  return {
    observe: { genAi: false, metricsKey: false, accessLog, tracing: null, capture: null },
    lines: async () =>
      (await readFile(path, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as AccessRecord),
  };
}

async function cancelAll(gateway: RunningGateway): Promise<void> {
  const { requests } = LiveRequests.parse(await gateway.control({ do: 'requests' }));
  for (const { id } of requests) await gateway.control({ do: 'cancel', request: id });
}

test.each([
  ['a stream', true, () => {}],
  ['a plain reply', false, () => {}],
  ['a stream whose head has come', true, (turn: Turn) => turn.stream()],
])(
  'rule 13: of %s that an operator ends before its first byte the prompt is charged',
  async (_, stream, begin) => {
    const held: Turn[] = [];
    const { gateway } = await start(
      (turn) => {
        held.push(turn);
        begin(turn);
      },
      { keys, quotas },
    );
    const ended = postChat(gateway.url, { ...long, stream }, asLaptop);
    await until('the engine has it', () => held.length === 1);
    if (stream && begin.length > 0) await ended;
    await cancelAll(gateway);
    expect(await (await ended).text()).toContain('request_cancelled');
    await until('it is counted', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
    expect(await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')).toBeGreaterThan(700);
    // Of the 1500 there is no room for as much again, and for the rest there is.
    const refused = await postChat(gateway.url, long, asLaptop);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'rate_limit_exceeded']);
    const small = postChat(gateway.url, { max_tokens: 650 }, asLaptop);
    await until('a small one is let through', () => held.length === 2);
    if (begin.length === 0) held[1]?.json(200, {});
    else held[1]?.endChunks();
    expect((await small).status).toBe(200);
  },
);

test('rule 13: what an operator ends before an engine has it costs nothing', async () => {
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    keys: [...keys, { id: 'o', name: 'other', sha256: sha256('other') }],
    quotas,
    upstream: { slots: 1 },
  });
  const busy = postChat(gateway.url, {}, { headers: { authorization: 'Bearer other' } });
  await until('the slot is taken', () => held.length === 1);
  const waits = postChat(gateway.url, long, asLaptop);
  await until('it is in line', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const { requests } = LiveRequests.parse(await gateway.control({ do: 'requests' }));
  const queued = requests.find(({ key }) => key === 'k');
  await gateway.control({ do: 'cancel', request: queued?.id ?? '' });
  expect((await waits).status).toBe(503);
  expect(await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')).toBe(0);
  held[0]?.json(200, {});
  expect((await busy).status).toBe(200);
  const again = postChat(gateway.url, long, asLaptop);
  await until('there is room for it', () => held.length === 2);
  held[1]?.json(200, {});
  expect((await again).status).toBe(200);
});

test('rule 13: what an operator ends while its engine is still being connected to costs nothing', async () => {
  const mute = net.createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void mute.close());
  const connected = once(mute, 'connection');
  const { port } = mute.address() as net.AddressInfo;
  // The handshake gets no answer.
  const gateway = await front(configFor([{ url: `https://127.0.0.1:${port}` }], { keys, quotas }));
  const ended = postChat(gateway.url, long, asLaptop);
  const [socket] = (await connected) as [net.Socket];
  await cancelAll(gateway);
  expect((await ended).status).toBe(503);
  socket.destroy();
  expect(await gateway.metric('berth_gateway_tokens_total', 'source="estimate"')).toBe(0);
});

test("rule 13: what the gateway's end cuts before its first byte has its prompt noted, unless no engine had it", async () => {
  const { observe, lines } = await loggedIn();
  const { upstream, gateway } = await start(() => {}, {
    observe,
    upstream: { slots: 1 },
    limits: { drainMs: 50 },
  });
  const served = postChat(gateway.url, long, { headers: { 'x-request-id': 'served' } });
  await until('the engine has it', () => upstream.seen.length === 1);
  const queued = postChat(gateway.url, long, { headers: { 'x-request-id': 'queued' } });
  await until('one is in line', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  await gateway.close();
  for (const reply of [await served, await queued]) expect((await errorOf(reply)).code).toBe('draining');
  const noted = Object.fromEntries((await lines()).map((line) => [line.id, line]));
  expect(noted['served']).toMatchObject({ outcome: 'cancelled', outputTokens: 0, tokenSource: 'estimate' });
  expect(noted['served']?.inputTokens).toBeGreaterThan(700);
  expect(noted['queued']).toMatchObject({ outcome: 'cancelled', inputTokens: null, tokenSource: null });
});

test('rule 13: what an engine is read for when its client has left is noted though the gateway ends', async () => {
  const { observe, lines } = await loggedIn();
  const { upstream, gateway } = await start(() => {}, {
    observe,
    upstream: { onClientAbort: { bytes: 1 << 20, ms: 60_000 } },
  });
  const leave = new AbortController();
  const left = postChat(gateway.url, long, { signal: leave.signal }).catch(() => null);
  await until('the engine has it', () => upstream.seen.length === 1);
  leave.abort();
  await left;
  await gateway.close();
  expect(await lines()).toMatchObject([{ outcome: 'client-gone', status: 499, tokenSource: 'estimate' }]);
});
