import { expect, test } from 'vitest';
import { Moved } from '../../src/domain/gateway-control.ts';
import type { Takeover } from '../../src/domain/takeover.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { FakeUpstream, Turn } from './fake-upstream.ts';
import { configFor, engine, front, postChat, until } from './harness.ts';
import type { RunningGateway, UpstreamShape } from './harness.ts';

/** An engine takes over from another one of its replica: it is given a share of the requests, and both are counted. */

interface Stage {
  readonly older: FakeUpstream;
  readonly newer: FakeUpstream;
  readonly gateway: RunningGateway;
  /** Gives the newer one another share. */
  readonly share: (share: number) => Promise<void>;
  readonly sides: () => Promise<Takeover>;
}

async function stage(
  share: number,
  {
    newerDoes = wellBehaved,
    older = {},
    newer = {},
  }: {
    newerDoes?: (turn: Turn) => void;
    older?: Partial<UpstreamShape>;
    newer?: Partial<UpstreamShape>;
  } = {},
): Promise<Stage> {
  const engines = { older: await engine(wellBehaved), newer: await engine(newerDoes) };
  function config(now: number) {
    return configFor([
      { id: 'a', url: engines.older.url, ...older },
      { id: 'a~new', url: engines.newer.url, takesOver: { from: 'a', share: now }, ...newer },
    ]);
  }
  const gateway = await front(config(share));
  return {
    ...engines,
    gateway,
    share: (now) => gateway.reload(config(now)),
    sides: async () => {
      const { sides } = Moved.parse(await gateway.control({ do: 'sides', deployment: 'd' }));
      if (!sides) throw new Error('no engine takes over from another one');
      return sides;
    },
  };
}

async function ask({ gateway }: Stage, times: number): Promise<number[]> {
  const replies = await Promise.all(
    Array.from({ length: times }, async () => {
      const reply = await postChat(gateway.url, { stream: true });
      await reply.text().catch(() => {});
      return reply.status;
    }),
  );
  return replies;
}

test('with no share the newer engine gets nothing, with the whole of it everything', async () => {
  const on = await stage(0);
  await ask(on, 30);
  expect([on.older.seen.length, on.newer.seen.length]).toEqual([30, 0]);
  await on.share(1);
  await ask(on, 30);
  expect([on.older.seen.length, on.newer.seen.length]).toEqual([30, 30]);
});

test('with a share it gets about that, and both are counted by errors and times to the first event', async () => {
  const on = await stage(0.5);
  await ask(on, 200);
  // Out of 200 fair draws, fewer than 60 or more than 140 come once in a hundred million times.
  expect(on.newer.seen.length).toBeGreaterThan(60);
  expect(on.newer.seen.length).toBeLessThan(140);
  const sides = await on.sides();
  expect([sides.share, sides.old.good, sides.new.good]).toEqual([
    0.5,
    on.older.seen.length,
    on.newer.seen.length,
  ]);
  expect([sides.old.failed, sides.new.failed]).toEqual([0, 0]);
  expect(sides.new.ttftMs).toHaveLength(on.newer.seen.length);
  await on.share(0.25);
  expect((await on.sides()).new).toEqual({ good: 0, failed: 0, faults: {}, ttftMs: [] });
});

test('streams that break off after a first token are failures of the one that broke them', async () => {
  const on = await stage(1, {
    newerDoes: (turn) => {
      turn.stream();
      turn.chunk(chatEvent('half '));
      turn.reset();
    },
  });
  await ask(on, 1);
  await until('it is counted', async () => (await on.sides()).new.failed === 1);
  const { old: older, new: newer } = await on.sides();
  expect([older.good, older.failed, newer.good]).toEqual([0, 0, 0]);
  expect(Object.keys(newer.faults)).toHaveLength(1);
});

test('what the newer one refuses before it has answered goes to the older one, and is counted against it', async () => {
  const on = await stage(1, { newerDoes: (turn) => turn.json(503, { error: { message: 'no' } }) });
  expect(await ask(on, 5)).toEqual([200, 200, 200, 200, 200]);
  const { new: newer } = await on.sides();
  expect([newer.good, newer.faults]).toEqual([0, { 503: newer.failed }]);
  expect(newer.failed).toBeGreaterThan(0);
});

test('what the newer one has no room for goes to the older one', async () => {
  const held: Turn[] = [];
  const on = await stage(1, { newerDoes: (turn) => void held.push(turn), newer: { slots: 1 } });
  const first = postChat(on.gateway.url);
  await until('one is under way', () => held.length === 1);
  expect(await ask(on, 3)).toEqual([200, 200, 200]);
  expect([on.older.seen.length, held.length]).toEqual([3, 1]);
  held[0]?.json(200, {});
  expect((await first).status).toBe(200);
});

test('where the older one is gone, the newer one serves whatever its share', async () => {
  const on = await stage(0);
  await on.older.stop();
  expect(await ask(on, 10)).toEqual(Array(10).fill(200));
});
