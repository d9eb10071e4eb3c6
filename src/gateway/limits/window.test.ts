import { expect, test } from 'vitest';
import { carryOf, emptyCount, giveBack, resetMs, roll, slotOf, usedOf, waitForRoom } from './window.ts';

const minute = 60_000;

test('of the minute before, as much counts as the last 60 seconds cover', () => {
  const count = { slot: 9, current: 40, previous: 0, left: null };
  roll(count, slotOf('minute', 10 * minute + 15_000));
  expect(count).toEqual({ slot: 10, current: 0, previous: 40, left: null });
  expect(usedOf(count, carryOf('minute', 10 * minute + 15_000))).toBe(30);
  roll(count, 12);
  expect(usedOf(count, 1)).toBe(0);
});

test('a clock that is set back takes along what was counted, and from then on moves as always', () => {
  const ahead = { slot: 10, current: 4, previous: 2, left: null };
  roll(ahead, 8);
  expect(ahead).toEqual({ slot: 8, current: 4, previous: 0, left: null });
  roll(ahead, 9);
  expect(ahead).toEqual({ slot: 9, current: 0, previous: 4, left: null });
  const atMidnight = { slot: 10, current: 1, previous: 7, left: null };
  roll(atMidnight, 9);
  expect(atMidnight).toEqual({ slot: 9, current: 8, previous: 0, left: null });
});

test('a clock that leaps and is set right finds what it had counted, and takes along what it counted meanwhile', () => {
  const count = { ...emptyCount(10), current: 40 };
  roll(count, 15);
  expect(usedOf(count, 1)).toBe(0);
  count.current = 5;
  // A part of what was charged before the leap comes back.
  giveBack(count, 10, 10);
  roll(count, 10);
  expect(count).toEqual({ slot: 10, current: 35, previous: 0, left: null });
  roll(count, 15);
  roll(count, 11);
  expect(count).toEqual({ slot: 11, current: 0, previous: 35, left: null });
  roll(count, 15);
  roll(count, 18);
  roll(count, 12);
  expect(count).toEqual({ slot: 12, current: 0, previous: 0, left: null });
});

test('days and months begin at nothing, in UTC', () => {
  const night = Date.UTC(2026, 10, 30, 23, 59, 59, 999);
  expect(slotOf('day', night + 1)).toBe(slotOf('day', night) + 1);
  expect(slotOf('month', night + 1)).toBe(slotOf('month', night) + 1);
  expect(slotOf('month', Date.UTC(2027, 0))).toBe(slotOf('month', Date.UTC(2026, 11)) + 1);
  expect(carryOf('month', night)).toBe(0);
});

test('after the wait that is told there is room, and a moment before there is none', () => {
  const cases = [
    { current: 10, previous: 0, need: 1, limit: 10, into: 12_000 },
    { current: 3, previous: 20, need: 1, limit: 10, into: 100 },
    { current: 0, previous: 100, need: 10, limit: 10, into: 30_000 },
    { current: 8, previous: 7, need: 4, limit: 10, into: 59_000 },
  ];
  for (const { current, previous, need, limit, into } of cases) {
    const now = 50 * minute + into;
    const wait = waitForRoom({ slot: 50, current, previous, left: null }, { need, limit }, now);
    expect(wait).toBeGreaterThan(0);
    const fits = [wait - 5, wait + 1].map((ms) => {
      const count = { slot: 50, current, previous, left: null };
      roll(count, slotOf('minute', now + ms));
      return usedOf(count, carryOf('minute', now + ms)) + need <= limit;
    });
    expect(fits).toEqual([false, true]);
  }
  expect(waitForRoom({ slot: 1, current: 1, previous: 1, left: null }, { need: 1, limit: 10 }, minute)).toBe(
    0,
  );
});

test('nothing counts any more after the next minute at the latest', () => {
  expect(resetMs({ slot: 1, current: 1, previous: 0, left: null }, minute + 20_000)).toBe(100_000);
  expect(resetMs({ slot: 1, current: 0, previous: 1, left: null }, minute + 20_000)).toBe(40_000);
  expect(resetMs({ slot: 1, current: 0, previous: 0, left: null }, minute)).toBe(0);
});
