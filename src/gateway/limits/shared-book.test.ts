import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localWorld } from '../../io/local-world.ts';
import type { Sweep } from '../../io/upstream-pool/sweep.ts';
import { openUsageStore } from '../../io/usage-store.ts';
import { anonymous } from '../front/caller.ts';
import { keySubject } from './bounds.ts';
import { createLimits, noQuotas } from './limits.ts';
import { createLimitsMemory } from './memory.ts';
import { createSharedBook } from './shared-book.ts';
import type { SharedCrowds } from './shared-crowds.ts';
import { closeLimitsState, openLimitsState, putInForce } from './state.ts';
import type { SharedLink } from './state.ts';
import { createUsageLedger } from './usage-ledger.ts';
import { countOf } from './book.ts';
import { createStoreClock } from './store-clock.ts';

const hour = 3_600_000;
const day = 24 * hour;
const amounts = { requests: 1, tokens: 1, usd: 0 };

/** A store whose clock says `storeMs()`; what it counts at its own time fits. Answers come only once all have been asked for. */
function storeAt(storeMs: () => number) {
  const asked: number[] = [];
  async function run(_script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const gatewayMs = Number(args[0]);
    asked.push(gatewayMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (args.length === 0) return String(storeMs());
    return Math.abs(storeMs() - gatewayMs) > 2000 ? [-1, String(storeMs())] : [1, '1', '0'];
  }
  return { run, asked };
}

test('many takes at once, before the clock is known, correct it once', async () => {
  const own = 1000 * day;
  const { run, asked } = storeAt(() => own - 5 * day);
  const book = createSharedBook('f', run, (error) => {
    throw error;
  });
  const { bounds } = keySubject({ id: 'k', name: 'k' }, { rpm: 60 });
  const verdicts = await Promise.all(
    Array.from({ length: 50 }, () => book.take(bounds, amounts, book.clock.at(own))),
  );
  expect(verdicts.every((one) => one?.charge)).toBe(true);
  expect(book.clock.at(own)).toBe(own - 5 * day);
  asked.length = 0;
  await book.take(bounds, amounts, book.clock.at(own));
  expect(asked).toEqual([own - 5 * day]);
});

test('an answer that comes after the clock was corrected changes nothing', async () => {
  const own = 1000 * day;
  const { run } = storeAt(() => own + hour);
  const book = createSharedBook('f', run, () => {});
  const { bounds } = keySubject({ id: 'k', name: 'k' }, { rpm: 60 });
  const late = book.take(bounds, amounts, book.clock.at(own));
  book.clock.correct(own + hour, own);
  expect((await late)?.charge).toBeTruthy();
  expect(book.clock.at(own)).toBe(own + hour);
});

test('what a store tells that is no time leaves the clock as it is', async () => {
  const clock = createStoreClock(async () => null);
  clock.correct(hour, 0);
  clock.correct(NaN, 0);
  clock.correct(Infinity, 0);
  clock.correct(0, NaN);
  expect(clock.at(0)).toBe(hour);
});

test('a clock that is off by less than an answer may take is the same', () => {
  const clock = createStoreClock(async () => '0');
  clock.correct(1999, 0);
  expect(clock.at(0)).toBe(0);
  clock.correct(hour, 0);
  clock.correct(hour + 1999, 0);
  expect(clock.at(0)).toBe(hour);
  clock.correct(1000, 0);
  expect(clock.at(0)).toBe(0);
});

/** One gateway whose own clock says `ownMs`, before a store that answers a take at its own time so. */
function gatewayBefore(answer: readonly unknown[], { ownMs, storeMs }: { ownMs: number; storeMs: number }) {
  async function run(_script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return Number(args[0]) === storeMs ? answer : [-1, String(storeMs)];
  }
  const book = createSharedBook('f', run, () => {});
  const memory = createLimitsMemory();
  const passed = { ms: 0 };
  const crowds: SharedCrowds = { enter: async () => null, leave: () => {}, tick: () => {}, close: () => {} };
  const limits = createLimits(noQuotas, {
    memory,
    wallMs: () => book.clock.at(ownMs),
    now: () => passed.ms,
    random: () => 0,
    shared: { book, crowds },
  });
  const demand = {
    caller: { ...anonymous, id: 'k', name: 'k', limits: { rpm: 10 } },
    endpoint: { operation: 'chat', body: 'json' },
    model: 'm',
    body: Buffer.alloc(400),
    maxTokens: 100,
    answers: 1,
  } as const;
  return { ask: async () => limits.reserve(demand), memory, passed };
}

test('what the store refuses by its own clock is refused, whatever the clock of before says', async () => {
  // By the store the minute has just begun, and all of the one before counts; by the gateway none of that.
  const times = { ownMs: 1000 * day + 59_999, storeMs: 1000 * day + hour };
  const { ask, memory } = gatewayBefore([0, '2', '9'], times);
  await expect(ask()).rejects.toMatchObject({
    fault: { status: 429, limit: { scope: 'key', reason: 'requests' } },
  });
  expect([...memory.crowds.values()].map(({ underWay }) => underWay)).toEqual([0]);
});

test('what the store refuses is refused also where its counts would leave room', async () => {
  const times = { ownMs: 1000 * day, storeMs: 1000 * day };
  const { ask, memory } = gatewayBefore([0, '0', '0'], times);
  await expect(ask()).rejects.toMatchObject({ fault: { status: 429, retryAfter: 1 } });
  expect([...memory.crowds.values()].map(({ underWay }) => underWay)).toEqual([0]);
});

test('how long a request took is no matter of a clock that is corrected meanwhile', async () => {
  const times = { ownMs: 1000 * day, storeMs: 1005 * day };
  const { ask, memory, passed } = gatewayBefore([1, '1', '0'], times);
  const held = await ask();
  passed.ms += 1000;
  held.settle(null);
  expect([...memory.crowds.values()].map(({ meanMs }) => meanMs)).toEqual([1000]);
});

test('what was used is written to the file under the day of the store', async () => {
  const times = { ownMs: Date.UTC(2026, 0, 31, 23), storeMs: Date.UTC(2026, 1, 1, 1) };
  const { ask, memory } = gatewayBefore([1, '1', '0'], times);
  const days: string[] = [];
  const ledger = createUsageLedger(
    { add: (rows) => void days.push(...rows.map(({ day: of }) => of)), since: () => [], close: () => {} },
    { log: localWorld().log },
  );
  memory.ledger = ledger;
  (await ask()).settle({ input: 1, output: 1 });
  ledger.close();
  expect(days).toEqual(['2026-02-01']);
});

test.each([
  ['before the file is read', false],
  ['only afterwards, as on a first start', true],
])('of a file of usage, what was spent on the day of the store counts, told %s', async (_, later) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-usage-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [usageFile, sharedUrlFile] = [join(folder, 'usage.sqlite'), join(folder, 'url')];
  await writeFile(sharedUrlFile, 'redis://store');
  const store = await openUsageStore(usageFile);
  store.add([{ day: '2026-02-01', key: 'k', model: 'm', requests: 1, input: 3, output: 4, usd: 0 }]);
  store.close();
  const clock = createStoreClock(async () => null);
  const ownMs = Date.UTC(2026, 0, 31, 23);
  function tell(): void {
    clock.correct(ownMs + 2 * hour, ownMs);
  }
  if (!later) tell();
  const shared = { url: 'redis://store', book: { clock }, close: () => {} } as SharedLink;
  const sweep = { each: () => () => {} } as unknown as Sweep;
  const { files, log } = localWorld();
  const before = { memory: createLimitsMemory(), usage: null, shared };
  const quotas = { ...noQuotas, usageFile, sharedUrlFile };
  const state = await openLimitsState({ fleet: 'f', quotas }, before, {
    files,
    log,
    sweep,
    wallMs: () => ownMs,
  });
  onTestFinished(() => closeLimitsState(state));
  putInForce(state, before, ownMs);
  if (later) tell();
  const { bounds } = keySubject({ id: 'k', name: 'k' }, {});
  const counts = bounds
    .filter(({ unit, window }) => unit === 'tokens' && window !== 'minute')
    .map((bound) => countOf(state.memory.book, bound, clock.at(ownMs)).current);
  expect(counts).toEqual([7, 7]);
});
