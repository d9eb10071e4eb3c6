import { expect, test } from 'vitest';
import { anonymous } from '../front/caller.ts';
import { keySubject } from './bounds.ts';
import { createLimits, noQuotas } from './limits.ts';
import { createLimitsMemory } from './memory.ts';
import { createSharedBook } from './shared-book.ts';
import type { SharedCrowds } from './shared-crowds.ts';
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
  const crowds: SharedCrowds = { enter: async () => null, leave: () => {}, tick: () => {}, close: () => {} };
  const limits = createLimits(noQuotas, {
    memory,
    wallMs: () => book.clock.at(ownMs),
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
  return { ask: async () => limits.reserve(demand), memory };
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
