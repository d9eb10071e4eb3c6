import { expect, test } from 'vitest';
import type { Route } from '../../src/domain/gateway-config.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Script, Turn } from './fake-upstream.ts';
import { configFor, engine, front, postChat, until } from './harness.ts';
import type { RunningGateway, UpstreamShape } from './harness.ts';

/** Shadow traffic: copies that nobody waits for. */

const outcomes = 'berth_gateway_shadow_requests_total';

/** The route "m" over deployment a, copied to b; b by its own name too. */
async function mirrored(
  script: Script,
  more: { percent?: number; main?: Script; limits?: { queue?: number; heldBytes?: number } } = {},
): Promise<{ main: FakeUpstream; shadow: FakeUpstream; gateway: RunningGateway }> {
  const main = await engine(more.main ?? wellBehaved);
  const shadow = await engine(script);
  const routes: Route[] = [
    {
      name: 'm',
      to: [{ deployment: 'a', weight: 1 }],
      aliasOf: null,
      shadow: { deployment: 'b', percent: more.percent ?? 100 },
    },
    { name: 'b', to: [{ deployment: 'b', weight: 1 }], aliasOf: null },
  ];
  const shapes: UpstreamShape[] = [
    { url: main.url, deployment: 'a' },
    { url: shadow.url, deployment: 'b', slots: 1, model: 'candidate' },
  ];
  const gateway = await front(configFor(shapes, { routes, limits: more.limits ?? {} }));
  return { main, shadow, gateway };
}

test('a copy has the same body under the model name of its engine, and is counted with its tokens', async () => {
  const { main, shadow, gateway } = await mirrored(wellBehaved);
  const reply = await postChat(gateway.url, { stream: true, top_k: 7 });
  expect(reply.headers.get('x-berth-upstream')).toBe('u0');
  expect(await reply.text()).toContain('[DONE]');
  await until('the copy is done', async () => (await gateway.metric(outcomes, 'outcome="done"')) === 1);
  const [copy, original] = [shadow.seen[0], main.seen[0]];
  expect(copy?.headers['x-berth-shadow']).toBe('1');
  expect(copy?.headers['x-request-id']).toBe(original?.headers['x-request-id']);
  expect(JSON.parse(copy?.body ?? '')).toEqual({ ...JSON.parse(original?.body ?? ''), model: 'candidate' });
  expect(await gateway.metric('berth_gateway_shadow_tokens_total', 'direction="output"')).toBe(3);
  expect(await gateway.metric('berth_gateway_shadow_duration_seconds_count')).toBe(1);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
});

test.each([
  ['answers with an error', (turn: Turn) => turn.json(500, {}), 'refused'],
  ['dies', (turn: Turn) => turn.reset(), 'failed'],
] as const)('a shadow that %s changes nothing for the client', async (_what, script, outcome) => {
  const { gateway } = await mirrored(script);
  for (let i = 1; i <= 3; i += 1) {
    expect((await postChat(gateway.url)).status).toBe(200);
    await until(
      'the copy has ended',
      async () => (await gateway.metric(outcomes, `outcome="${outcome}"`)) === i,
    );
  }
});

test('a shadow that never answers keeps nobody waiting, and ends when the gateway drains', async () => {
  const { main, shadow, gateway } = await mirrored(() => {});
  const replies = [await postChat(gateway.url), await postChat(gateway.url)];
  expect(replies.map((reply) => reply.status)).toEqual([200, 200]);
  await until('the copy is there', () => shadow.seen.length > 0);
  expect([main.seen.length, shadow.seen.length]).toEqual([2, 1]);
  expect(await gateway.metric(outcomes, 'outcome="busy"')).toBe(1);
  await gateway.close();
  await until('the copy is cut', () => shadow.seen[0]?.cut === true);
});

test('a deployment that is busy gets no copies', async () => {
  const held: Turn[] = [];
  const { shadow, gateway } = await mirrored((turn) => void held.push(turn));
  const own = postChat(gateway.url, { model: 'b' });
  await until('its own request is there', () => held.length === 1);
  expect((await postChat(gateway.url)).status).toBe(200);
  expect(await gateway.metric(outcomes, 'outcome="busy"')).toBe(1);
  expect(shadow.seen.length).toBe(1);
  held[0]?.json(200, {});
  expect((await own).status).toBe(200);
});

test('a copy gives its slot up to a request, even where no queue is allowed', async () => {
  const held: Turn[] = [];
  const { shadow, gateway } = await mirrored((turn) => void held.push(turn), { limits: { queue: 0 } });
  expect((await postChat(gateway.url)).status).toBe(200);
  await until('the copy is there', () => held.length === 1);
  const own = postChat(gateway.url, { model: 'b' });
  await until('the request is there', () => held.length === 2);
  expect(await gateway.metric(outcomes, 'outcome="yielded"')).toBe(1);
  await until('the copy is cut', () => shadow.seen[0]?.cut === true);
  held[1]?.json(200, {});
  expect((await own).status).toBe(200);
});

test('an engine that is drained waits for no copy', async () => {
  const { shadow, gateway } = await mirrored(() => {});
  expect((await postChat(gateway.url)).status).toBe(200);
  await until('the copy is there', () => shadow.seen.length === 1);
  const drained = await gateway.control({ do: 'drain', url: shadow.url, graceMs: 0, forMs: 60_000 });
  expect(drained).toEqual({ left: 0 });
  expect(await gateway.metric(outcomes, 'outcome="yielded"')).toBe(1);
});

test('a copy whose reply has no end is cut', async () => {
  const { shadow, gateway } = await mirrored((turn) => {
    turn.stream();
    for (let i = 0; i < 17; i += 1) turn.chunk('x'.repeat(1024 * 1024));
  });
  expect((await postChat(gateway.url)).status).toBe(200);
  await until('the copy is cut', async () => (await gateway.metric(outcomes, 'outcome="cut"')) === 1);
  await until('its connection too', () => shadow.seen[0]?.cut === true);
});

test('a body for which there is no memory left is not copied', async () => {
  const { shadow, gateway } = await mirrored(wellBehaved, { limits: { heldBytes: 150 } });
  const reply = await postChat(gateway.url, { user: 'x'.repeat(40) });
  expect(reply.status).toBe(200);
  expect(await gateway.metric(outcomes, 'outcome="no_memory"')).toBe(1);
  expect(shadow.seen.length).toBe(0);
});

test('a client that leaves takes its own request along, not the copy', async () => {
  const held: Turn[] = [];
  const { main, gateway } = await mirrored((turn) => void held.push(turn), {
    main: (turn) => {
      turn.stream();
      turn.chunk(chatEvent('begun'));
    },
  });
  const leaves = new AbortController();
  await postChat(gateway.url, { stream: true }, { signal: leaves.signal });
  leaves.abort();
  await until('the request is cut', () => main.seen[0]?.cut === true);
  await until('the copy is there', () => held.length === 1);
  held[0]?.json(200, {});
  await until('the copy has ended', async () => (await gateway.metric(outcomes)) === 1);
  expect(await gateway.metric(outcomes, 'outcome="done"')).toBe(1);
});

test('what goes to an engine as it is is not copied: it may be meant to change something there', async () => {
  const { main, shadow, gateway } = await mirrored(wellBehaved);
  const erased = await fetch(`${gateway.url}/upstream/m/slots/0?action=erase`, { method: 'POST' });
  await erased.text();
  await (await postChat(gateway.url)).text();
  await until('the copy is done', async () => (await gateway.metric(outcomes, 'outcome="done"')) === 1);
  expect(main.seen.map(({ path }) => path)).toEqual(['/slots/0?action=erase', '/v1/chat/completions']);
  expect(shadow.seen.map(({ path }) => path)).toEqual(['/v1/chat/completions']);
});

test('a share of the requests is copied', async () => {
  const { shadow, gateway } = await mirrored(wellBehaved, { percent: 25 });
  for (let i = 0; i < 200; i += 1) {
    await (await postChat(gateway.url)).text();
    await until('no copy is under way', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  }
  // Binomial, 50 expected with a deviation of 6: beyond six of them it is no chance.
  expect(shadow.seen.length).toBeGreaterThan(50 - 37);
  expect(shadow.seen.length).toBeLessThan(50 + 37);
});
