import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { LiveRequests } from '../../src/domain/live-request.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Turn } from './fake-upstream.ts';
import { chat, configFor, dial, engine, errorOf, front, postChat, post, until } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rule 23: who waits in line when a reload takes the deployment away is served by whoever has the route by then. */

const long = 60_000;

interface Stage {
  readonly old: FakeUpstream;
  readonly next: FakeUpstream;
  /** Requests that the old engine has not answered. */
  readonly held: Turn[];
  readonly gateway: RunningGateway;
  readonly merged: GatewayConfig;
}

function routes(...named: readonly (readonly [string, string])[]): GatewayConfig['routes'] {
  return named.map(([name, deployment]) => ({ name, to: [{ deployment, weight: 1 }], aliasOf: null }));
}

/** Two deployments, each behind a route; in `merged` the one of "next" serves both. */
async function stage(limits: Partial<GatewayConfig['limits']> = {}): Promise<Stage> {
  const held: Turn[] = [];
  const old = await engine((turn) => void held.push(turn));
  const next = await engine(wellBehaved);
  const beside = { id: 'n', deployment: 'next', url: next.url };
  const both = [{ id: 'o', deployment: 'old', url: old.url, slots: 1 }, beside];
  const gateway = await front(configFor(both, { routes: routes(['m', 'old'], ['n', 'next']), limits }));
  const merged = configFor([beside], { routes: routes(['m', 'next'], ['n', 'next']), limits });
  return { old, next, held, gateway, merged };
}

/** One is served by the old engine, and so many wait for it. */
async function waiting({ gateway, held }: Stage, count: number): Promise<Promise<Response>[]> {
  const replies = [postChat(gateway.url)];
  await until('one is served', () => held.length === 1);
  for (let i = 0; i < count; i += 1) replies.push(postChat(gateway.url));
  await until('the others wait', async () => (await gateway.metric('berth_gateway_queue_depth')) === count);
  return replies;
}

test('rule 23: who waits for a deployment that a reload merges into another one is served there at once', async () => {
  const made = await stage();
  const { gateway, held, old, next, merged } = made;
  const [first, ...others] = await waiting(made, 3);
  await gateway.reload(merged);
  expect((await Promise.all(others)).map((reply) => reply.status)).toEqual([200, 200, 200]);
  expect([old.seen.length, next.seen.length]).toEqual([1, 3]);
  held[0]?.json(200, {});
  expect((await first)?.status).toBe(200);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

test('rule 23: who waits for a model that a reload takes away is served by its old engine, until that is drained', async () => {
  const made = await stage();
  const { gateway, held, old, next, merged } = made;
  const [first, second, third] = await waiting(made, 2);
  await gateway.reload({ ...merged, routes: routes(['n', 'next']) });
  expect((await postChat(gateway.url)).status).toBe(404);
  expect(await gateway.metric('berth_gateway_queue_depth', 'deployment="old"')).toBe(2);
  held[0]?.json(200, {});
  expect((await first)?.status).toBe(200);
  await until('the next is served', () => held.length === 2);
  const drained = gateway.control({ do: 'drain', url: old.url, graceMs: long, forMs: long });
  const refused = await third;
  expect([refused?.status, refused?.headers.get('retry-after')]).toEqual([
    503,
    expect.stringMatching(/^[1-9]\d*$/),
  ]);
  held[1]?.json(200, {});
  expect((await second)?.status).toBe(200);
  expect([await drained, next.seen.length]).toEqual([{ left: 0 }, 0]);
});

test('rule 23: who has waited in the old line does not wait longer in the new one than its deadline', async () => {
  const made = await stage({ queueMs: 3000 });
  const { gateway, held, next, merged } = made;
  const [first, second] = await waiting(made, 1);
  await gateway.control({ do: 'hold', deployment: 'next', forMs: long });
  await gateway.reload(merged);
  const reply = (await second) as Response;
  expect([reply.status, (await errorOf(reply)).message]).toEqual([
    503,
    expect.stringContaining('within 3000 ms'),
  ]);
  expect(next.seen.length).toBe(0);
  held[0]?.json(200, {});
  expect((await first)?.status).toBe(200);
});

test('rule 23: whose body was still on its way when the reload came is served by what is in force', async () => {
  const { gateway, old, next, merged } = await stage();
  const body = chat();
  const whole = post('/v1/chat/completions', body);
  const wire = await dial(gateway.port, whole.slice(0, -5));
  onTestFinished(() => void wire.socket.destroy());
  await until('it is seen', async () => {
    const { total } = LiveRequests.parse(await gateway.control({ do: 'requests' }));
    return total === 1;
  });
  await gateway.reload(merged);
  wire.socket.write(whole.slice(-5));
  await until('it is answered', () => wire.text().startsWith('HTTP/1.1 200'));
  expect([old.seen.length, next.seen.length]).toEqual([0, 1]);
});

test('rule 23: a drain waits for what comes late to an engine that nothing leads to any more', async () => {
  const made = await stage();
  const { gateway, held, old } = made;
  const wire = await askedLate(made);
  await new Promise((done) => setTimeout(done, 300));
  expect(await gateway.control({ do: 'drain', url: old.url, graceMs: 1, forMs: long })).toEqual({ left: 1 });
  held[0]?.json(200, {});
  await until('it is answered', () => wire.text().startsWith('HTTP/1.1 200'));
});

test('rule 9: what comes late to an engine that nothing leads to any more is given up when that falls silent', async () => {
  const made = await stage({ idleMs: 300 });
  const { gateway, held, old } = made;
  const wire = await askedLate(made);
  held[0]?.stream();
  held[0]?.chunk(chatEvent('a'));
  await until('it is given up', () => wire.text().includes('"code":"upstream_timeout"'));
  await until('the engine was cut off', () => old.seen[0]?.cut === true);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);
});

/** A request whose body ends when a reload has taken its model away; the old engine has it. */
async function askedLate({ gateway, held, merged }: Stage): ReturnType<typeof dial> {
  const whole = post('/v1/chat/completions', chat({ stream: true }));
  const wire = await dial(gateway.port, whole.slice(0, -5));
  onTestFinished(() => void wire.socket.destroy());
  await until('it is seen', async () => {
    const { total } = LiveRequests.parse(await gateway.control({ do: 'requests' }));
    return total === 1;
  });
  await gateway.reload({ ...merged, routes: routes(['n', 'next']) });
  // Whoever is of no use any more is forgotten at a tick.
  await new Promise((done) => setTimeout(done, 300));
  wire.socket.write(whole.slice(-5));
  await until('the old engine serves it', () => held.length === 1);
  return wire;
}
