import { expect, test } from 'vitest';
import type { Route } from '../../src/domain/gateway-config.ts';
import { wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream } from './fake-upstream.ts';
import { configFor, engine, front, postChat, sha256 } from './harness.ts';

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

test('the turns of a conversation reach the instance that knows its beginning, over a reload too', async () => {
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
