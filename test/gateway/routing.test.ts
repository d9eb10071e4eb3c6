import { expect, onTestFinished, test } from 'vitest';
import type { Route } from '../../src/domain/gateway-config.ts';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { chatEvent, startFakeUpstream, wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Turn } from './fake-upstream.ts';
import { configFor, engine, errorOf, front, movableClock, postChat, sha256, until } from './harness.ts';

/** Rules 21 and 22 and what the fleet file says of routes: which deployment, and which of its instances, gets a request. */

function engines(count: number): Promise<FakeUpstream[]> {
  return Promise.all(Array.from({ length: count }, () => engine(wellBehaved)));
}

function seen(upstreams: readonly FakeUpstream[]): number[] {
  return upstreams.map((upstream) => upstream.seen.length);
}

function route(more: Partial<Route>): Route {
  return { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null, ...more };
}

const text = 'A long beginning that all turns of this conversation have in common. '.repeat(10);

/** What a chat sends at its third turn: all that was said before, then something new. */
function turns(talk: number, count: number): { messages: unknown[] } {
  const messages = Array.from({ length: count }, (_, turn) => ({
    role: 'user',
    content: `${talk}.${turn}: ${text}`,
  }));
  return { messages };
}

test('by turns, each instance gets every third request', async () => {
  const upstreams = await engines(3);
  const gateway = await front(configFor(upstreams, { policies: { d: { kind: 'round-robin' } } }));
  for (let i = 0; i < 9; i += 1) await (await postChat(gateway.url)).text();
  expect(seen(upstreams)).toEqual([3, 3, 3]);
});

test('rule 21: the turns of a conversation reach the instance that knows its beginning, over a reload too', async () => {
  const upstreams = await engines(3);
  const config = configFor(upstreams, { routes: [route({ policy: { kind: 'prefix-affinity' } })] });
  const gateway = await front(config);
  const homes: string[] = [];
  for (let talk = 0; talk < 6; talk += 1) {
    const first = await postChat(gateway.url, turns(talk, 1));
    homes.push(first.headers.get('x-berth-upstream') ?? '');
    await first.text();
  }
  await gateway.reload({ ...config, limits: { ...config.limits, queue: 5 } });
  for (let count = 2; count < 5; count += 1)
    for (let talk = 0; talk < 6; talk += 1) {
      const later = await postChat(gateway.url, turns(talk, count));
      expect(later.headers.get('x-berth-upstream')).toBe(homes[talk]);
      await later.text();
    }
  expect(await gateway.metric('berth_gateway_policy_events_total', 'event="hits"')).toBe(18);
  expect(await gateway.metric('berth_gateway_policy_events_total', 'event="misses"')).toBe(6);
  expect(await gateway.metric('berth_gateway_policy_entries')).toBeGreaterThan(0);
});

test('rule 21: an instance that has too much to do is not preferred for what it knows', async () => {
  const held: Turn[] = [];
  const upstreams = await Promise.all([0, 1].map(() => engine((turn) => void held.push(turn))));
  const config = configFor(upstreams, { routes: [route({ policy: { kind: 'prefix-affinity' } })] });
  const gateway = await front(config);
  const replies: Promise<Response>[] = [];
  // All begin alike, and none has ended: without a look at the load one instance would get them all.
  for (let count = 1; count <= 8; count += 1) {
    replies.push(postChat(gateway.url, turns(0, 1)));
    await until('it is there', () => held.length === count);
  }
  for (const got of seen(upstreams)) expect(got).toBeGreaterThanOrEqual(3);
  for (const turn of held) turn.json(200, {});
  expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(replies.map(() => 200));
});

test('rule 21: what is known of beginnings is bounded, and what is forgotten is counted', async () => {
  const policy = { kind: 'prefix-affinity', entries: 20 };
  const gateway = await front(configFor(await engines(2), { routes: [route({ policy })] }));
  for (let talk = 0; talk < 10; talk += 1) await (await postChat(gateway.url, turns(talk, 2))).text();
  expect(await gateway.metric('berth_gateway_policy_entries')).toBe(20);
  expect(await gateway.metric('berth_gateway_policy_events_total', 'event="evictions"')).toBeGreaterThan(20);
  // The latest is known yet, the first is not.
  await (await postChat(gateway.url, turns(9, 3))).text();
  expect(await gateway.metric('berth_gateway_policy_events_total', 'event="hits"')).toBe(1);
  await (await postChat(gateway.url, turns(0, 3))).text();
  expect(await gateway.metric('berth_gateway_policy_events_total', 'event="hits"')).toBe(1);
});

test('rule 21: gateways that know nothing of each other send one beginning to one instance, by hashing', async () => {
  const upstreams = await engines(3);
  const config = configFor(upstreams, { routes: [route({ policy: { kind: 'prefix-hash' } })] });
  const gateways = [await front(config), await front(config)];
  const homes = new Set<string | null>();
  for (let talk = 0; talk < 12; talk += 1) {
    const own = new Set<string | null>();
    for (const { url } of gateways)
      for (const count of [1, 3]) {
        const reply = await postChat(url, turns(talk, count));
        await reply.text();
        own.add(reply.headers.get('x-berth-upstream'));
      }
    expect(own.size).toBe(1);
    for (const home of own) homes.add(home);
  }
  expect(homes.size).toBe(3);
});

test.each([
  ['a header', { header: 'X-Talk' }, (unit: string) => [{}, { 'x-talk': unit }]],
  ["the body's user", 'session', (unit: string) => [{ user: unit }, {}]],
  ['the unit header', 'session', (unit: string) => [{ user: 'all' }, { 'x-berth-unit': unit }]],
] as const)('what %s holds together stays at one instance, and units spread', async (_what, by, says) => {
  const upstreams = await engines(3);
  const gateway = await front(configFor(upstreams, { policies: { d: { kind: 'sticky', by } } }));
  const homes = new Map<string, string | null>();
  for (let round = 0; round < 2; round += 1)
    for (let i = 0; i < 12; i += 1) {
      const [body, headers] = says(`unit ${i}`) as [Record<string, unknown>, Record<string, string>];
      const reply = await postChat(gateway.url, body, { headers });
      await reply.text();
      const home = reply.headers.get('x-berth-upstream');
      expect(homes.get(`${i}`) ?? home).toBe(home);
      homes.set(`${i}`, home);
    }
  expect(new Set(homes.values()).size).toBe(3);
});

test('a key stays at one instance', async () => {
  const upstreams = await engines(3);
  const keys = ['one', 'two'].map((id) => ({ id, name: id, sha256: sha256(id) }));
  const gateway = await front(configFor(upstreams, { keys, policies: { d: { kind: 'sticky', by: 'key' } } }));
  for (const { id } of keys) {
    const homes = new Set<string | null>();
    for (let i = 0; i < 6; i += 1) {
      const reply = await postChat(gateway.url, {}, { headers: { authorization: `Bearer ${id}` } });
      await reply.text();
      homes.add(reply.headers.get('x-berth-upstream'));
    }
    expect(homes.size).toBe(1);
  }
});

test('a split holds each client to its deployment, over a reload and a change of weights that does not concern it', async () => {
  const [a, b] = await engines(2);
  const shapes = [
    { url: a?.url ?? '', deployment: 'a' },
    { url: b?.url ?? '', deployment: 'b' },
  ];
  function weighted(weight: number): Route[] {
    const to = [
      { deployment: 'a', weight },
      { deployment: 'b', weight: 1 },
    ];
    return [
      route({ to, split: { by: 'session' } }),
      route({ name: 'alias', aliasOf: 'm', to, split: { by: 'session' } }),
    ];
  }
  const config = configFor(shapes, { routes: weighted(1) });
  const gateway = await front(config);
  async function homes(model: string): Promise<(string | null)[]> {
    const found: (string | null)[] = [];
    for (let i = 0; i < 40; i += 1) {
      const reply = await postChat(gateway.url, { model, user: `client ${i}` });
      await reply.text();
      found.push(reply.headers.get('x-berth-upstream'));
    }
    return found;
  }
  const before = await homes('m');
  expect(new Set(before)).toEqual(new Set(['u0', 'u1']));
  expect(await homes('alias')).toEqual(before);
  await gateway.reload({ ...config, routes: weighted(2) });
  const after = await homes('m');
  expect(before.filter((home, i) => home !== after[i])).not.toContain('u0');
});

/** The route "m" over deployment a, with b to fall back to. */
function withFallback(on: ('unreachable' | 'full' | 'deadline')[]): Route[] {
  return [
    route({ to: [{ deployment: 'a', weight: 1 }], fallback: { to: ['spare'], on } }),
    route({ name: 'spare', to: [{ deployment: 'b', weight: 1 }] }),
  ];
}

test('a client whose deployment is gone is served by another one of the route, and comes back once it serves again', async () => {
  const clock = movableClock();
  const upstreams = [await startFakeUpstream(wellBehaved), await engine(wellBehaved)] as const;
  const to = ['d0', 'd1'].map((deployment) => ({ deployment, weight: 1 }));
  const config = configFor(
    upstreams.map(({ url }, i) => ({ url, deployment: `d${i}` })),
    { routes: [route({ to, split: { by: 'session' } })] },
  );
  // The time that the clock is moved on must not be that of a connection which is just being made.
  const limits = { ...config.limits, connectMs: 3_600_000 };
  const gateway = await front({ ...config, limits }, { clock });
  async function deploymentOf(unit: string): Promise<string> {
    const reply = await postChat(gateway.url, {}, { headers: { 'x-berth-unit': unit } });
    await reply.text();
    return `${reply.status} ${reply.headers.get('x-berth-deployment')}`;
  }
  let unit = 'u0';
  for (let i = 1; (await deploymentOf(unit)) !== '200 d0'; i += 1) unit = `u${i}`;
  await upstreams[0].stop();
  // Not one of them is refused: neither those that find out, nor those that look whether it is back.
  for (let times = 1; times <= 4; times += 1) {
    await until('it was looked for', async () => {
      expect(await deploymentOf(unit)).toBe('200 d1');
      return (await gateway.metric('berth_gateway_retries_total', 'reason="unreachable"')) >= times;
    });
    clock.advance(30_000);
  }
  expect(await gateway.metric('berth_gateway_requests_total', 'status="503"')).toBe(0);
  const back = await startFakeUpstream(wellBehaved, upstreams[0].port);
  onTestFinished(() => back.stop());
  await until('it is found', async () => (await deploymentOf(unit)) === '200 d0');
});

test('when no deployment of a route can be reached, each is asked once and the client is told', async () => {
  const upstreams = await Promise.all([startFakeUpstream(wellBehaved), startFakeUpstream(wellBehaved)]);
  const to = ['d0', 'd1'].map((deployment) => ({ deployment, weight: 1 }));
  const gateway = await front(
    configFor(
      upstreams.map(({ url }, i) => ({ url, deployment: `d${i}` })),
      { routes: [route({ to })] },
    ),
  );
  for (const upstream of upstreams) await upstream.stop();
  const reply = await postChat(gateway.url);
  expect([reply.status, (await errorOf(reply)).code]).toEqual([503, 'no_healthy_instance']);
  expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
  await until('nothing is held', async () => (await gateway.metric('berth_gateway_body_bytes')) === 0);
  expect(await gateway.metric('berth_gateway_inflight', 'deployment="d0"')).toBe(0);
  expect(await gateway.metric('berth_gateway_inflight', 'deployment="d1"')).toBe(0);
});

test('an engine that is gone is stood in for by the fallback, which the reply names', async () => {
  const [spare] = await engines(1);
  const gone = await engine(wellBehaved);
  await gone.stop();
  const shapes = [
    { url: gone.url, deployment: 'a' },
    { url: spare?.url ?? '', deployment: 'b' },
  ];
  const gateway = await front(configFor(shapes, { routes: withFallback(['unreachable']) }));
  for (let i = 0; i < 3; i += 1) {
    const reply = await postChat(gateway.url, { stream: true });
    expect([reply.status, reply.headers.get('x-berth-route')]).toEqual([200, 'spare']);
    expect(await reply.text()).toContain('[DONE]');
  }
  expect(await gateway.metric('berth_gateway_fallbacks_total', 'model="m",route="spare"')).toBe(3);
  expect(await gateway.metric('berth_gateway_requests_total', 'status="200",deployment="b"')).toBe(3);
});

test('what a fallback serves counts by the limits and at the price of its own model', async () => {
  const [spare] = await engines(1);
  const gone = await engine(wellBehaved);
  await gone.stop();
  const shapes = [
    { url: gone.url, deployment: 'a' },
    { url: spare?.url ?? '', deployment: 'b' },
  ];
  const rich = { id: 'rich', name: 'rich', sha256: sha256('rich') };
  const poor = {
    id: 'poor',
    name: 'poor',
    sha256: sha256('poor'),
    limits: { budget: { day: { usd: 0.5 } } },
  };
  const gateway = await front(
    configFor(shapes, {
      routes: withFallback(['unreachable']),
      keys: [rich, poor],
      // A dollar a token.
      quotas: {
        ...noQuotas,
        models: { spare: { rpm: 2 } },
        prices: { m: { input: 0, output: 0 }, spare: { input: 1e6, output: 1e6 } },
      },
    }),
  );
  async function ask(key: string): Promise<[number, unknown]> {
    const reply = await postChat(gateway.url, {}, { headers: { authorization: `Bearer ${key}` } });
    return [reply.status, reply.ok ? await reply.text().then(() => 'ok') : (await errorOf(reply)).code];
  }
  expect(await ask('poor')).toEqual([200, 'ok']);
  expect(await ask('poor')).toEqual([429, 'insufficient_quota']);
  expect(await ask('rich')).toEqual([200, 'ok']);
  expect(await ask('rich')).toEqual([503, 'no_healthy_instance']);
  expect(spare?.seen.length).toBe(2);
});

test('a full queue goes to the fallback only where the route says so', async () => {
  const held: Turn[] = [];
  const busy = await engine((turn) => void held.push(turn));
  const [spare] = await engines(1);
  const shapes = [
    { url: busy.url, deployment: 'a', slots: 1 },
    { url: spare?.url ?? '', deployment: 'b' },
  ];
  const config = configFor(shapes, { routes: withFallback(['full']), limits: { queue: 0 } });
  const gateway = await front(config);
  const first = postChat(gateway.url);
  await until('the first is served', () => held.length === 1);
  const second = await postChat(gateway.url);
  expect([second.status, second.headers.get('x-berth-upstream')]).toEqual([200, 'u1']);
  await gateway.reload({ ...config, routes: withFallback(['unreachable', 'deadline']) });
  expect((await errorOf(await postChat(gateway.url))).code).toBe('queue_full');
  held[0]?.json(200, {});
  expect((await first).headers.get('x-berth-route')).toBeNull();
});

test('a wait that is too long goes to the fallback where the route says so', async () => {
  const held: Turn[] = [];
  const busy = await engine((turn) => void held.push(turn));
  const [spare] = await engines(1);
  const shapes = [
    { url: busy.url, deployment: 'a', slots: 1 },
    { url: spare?.url ?? '', deployment: 'b' },
  ];
  const config = configFor(shapes, { routes: withFallback(['deadline']), limits: { queueMs: 50 } });
  const gateway = await front(config);
  const first = postChat(gateway.url);
  await until('the first is served', () => held.length === 1);
  expect((await postChat(gateway.url)).headers.get('x-berth-route')).toBe('spare');
  held[0]?.json(200, {});
  expect((await first).status).toBe(200);
});

test('when nobody can serve, the error is that of the route that was asked for', async () => {
  const [gone, goneToo] = await engines(2);
  await gone?.stop();
  await goneToo?.stop();
  const shapes = [
    { url: gone?.url ?? '', deployment: 'a' },
    { url: goneToo?.url ?? '', deployment: 'b' },
  ];
  const gateway = await front(configFor(shapes, { routes: withFallback(['unreachable']) }));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(503);
  expect((await errorOf(reply)).message).toContain('No instance of a can be reached');
  expect(await gateway.metric('berth_gateway_requests_total', 'status="503",deployment="a"')).toBe(1);
});

test('a reply that had begun is not begun again by the fallback', async () => {
  const [spare] = await engines(1);
  const dies = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    turn.reset();
  });
  const shapes = [
    { url: dies.url, deployment: 'a' },
    { url: spare?.url ?? '', deployment: 'b' },
  ];
  const gateway = await front(
    configFor(shapes, { routes: withFallback(['unreachable', 'full', 'deadline']) }),
  );
  const text = await (await postChat(gateway.url, { stream: true })).text();
  expect(text).toContain('begun');
  expect(text).toContain('"error"');
  expect(text).not.toContain('[DONE]');
  expect(spare?.seen.length).toBe(0);
});

test('where a request could go to several deployments, the reply and the metrics name the one that served', async () => {
  const [a, b] = await engines(2);
  const shapes = [
    { url: a?.url ?? '', deployment: 'a' },
    { url: b?.url ?? '', deployment: 'b' },
  ];
  const to = shapes.map(({ deployment }) => ({ deployment, weight: 1 }));
  const routes = [route({ to, split: { by: 'session' } }), route({ name: 'one', to: to.slice(0, 1) })];
  const gateway = await front(configFor(shapes, { routes }));
  const counts: Record<string, number> = { a: 0, b: 0 };
  for (let i = 0; i < 20; i += 1) {
    const reply = await postChat(gateway.url, { stream: true, user: `client ${i}` });
    await reply.text();
    const name = reply.headers.get('x-berth-deployment') ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  for (const [name, count] of Object.entries(counts)) {
    expect(count).toBeGreaterThan(0);
    const arm = `deployment="${name}"`;
    expect(await gateway.metric('berth_gateway_requests_total', `status="200",${arm}`)).toBe(count);
    expect(await gateway.metric('berth_gateway_ttft_seconds_count', arm)).toBe(count);
    expect(await gateway.metric('berth_gateway_request_duration_seconds_count', arm)).toBe(count);
    expect(
      await gateway.metric('berth_gateway_tokens_total', `direction="output",source="engine",${arm}`),
    ).toBe(3 * count);
  }
  const single = await postChat(gateway.url, { model: 'one' });
  await single.text();
  expect(single.headers.get('x-berth-deployment')).toBeNull();
});
