import { expect, test } from 'vitest';
import type { Priority } from '../../domain/key-limits.ts';
import { BandQueue, starvation } from './band-queue.ts';
import { priorityOf } from './priority.ts';

/** A queue and its clock. Items are named by band, key and number: "high-a1". */
function queueOf(...items: readonly string[]): { queue: BandQueue<string>; time: { now: number } } {
  const time = { now: 0 };
  const queue = new BandQueue<string>(() => time.now);
  for (const item of items) enter(queue, item);
  return { queue, time };
}

function enter(queue: BandQueue<string>, item: string): void {
  const [priority = '', key = ''] = item.split('-');
  queue.add(key.charAt(0), item, priority as Priority);
}

function take(queue: BandQueue<string>, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => {
    const peeked = queue.peek();
    const next = queue.next();
    expect(peeked).toBe(next);
    return next;
  });
}

test('higher bands go first, and keys take turns within each', () => {
  const { queue } = queueOf('low-a1', 'normal-a1', 'normal-a2', 'normal-b1', 'high-c1', 'high-c2');
  expect(queue.size).toBe(6);
  expect(take(queue, 7)).toEqual([
    'high-c1',
    'high-c2',
    'normal-a1',
    'normal-b1',
    'normal-a2',
    'low-a1',
    undefined,
  ]);
});

test('a band that waits has a turn when both its time and its turns are up, and then waits again', () => {
  const { queue, time } = queueOf('low-a1', 'low-a2', ...Array.from({ length: 20 }, (_, i) => `high-b${i}`));
  take(queue, starvation.turns);
  expect(queue.peek()).toBe(`high-b${starvation.turns}`);
  time.now = starvation.ms;
  expect(take(queue, 1)).toEqual(['low-a1']);
  // However long each turn takes, the low band gets one in five of them.
  time.now += 100 * starvation.ms;
  const five = take(queue, starvation.turns + 1);
  expect(five.slice(0, -1).every((item) => item?.startsWith('high'))).toBe(true);
  expect(five.at(-1)).toBe('low-a2');
});

test('time alone is not enough for a turn, nor does a band that was empty count its time', () => {
  const { queue, time } = queueOf('high-b1', 'high-b2', 'high-b3', 'high-b4', 'high-b5', 'high-b6');
  time.now = 10 * starvation.ms;
  take(queue, 1);
  enter(queue, 'low-a1');
  expect(take(queue, starvation.turns)).toEqual(['high-b2', 'high-b3', 'high-b4', 'high-b5']);
  expect(take(queue, 2)).toEqual(['high-b6', 'low-a1']);
});

test('of two bands that starve the one that has waited longer goes first', () => {
  const { queue, time } = queueOf('low-a1', ...Array.from({ length: 10 }, (_, i) => `high-b${i}`));
  time.now = 1;
  enter(queue, 'normal-c1');
  take(queue, starvation.turns);
  time.now = 1 + starvation.ms;
  expect(take(queue, 2)).toEqual(['low-a1', 'normal-c1']);
});

test('places count the bands above, and leaving makes room', () => {
  const { queue } = queueOf('low-a1', 'normal-a1', 'high-a1');
  expect(['high-a1', 'normal-a1', 'low-a1'].map((item) => queue.placeOf('a', item))).toEqual([1, 2, 3]);
  expect(queue.remove('a', 'normal-a1')).toBe(true);
  expect(queue.remove('a', 'normal-a1')).toBe(false);
  expect([queue.placeOf('a', 'low-a1'), queue.placeOf('a', 'normal-a1')]).toEqual([2, Infinity]);
  expect([...queue.drain()]).toEqual(['high-a1', 'low-a1']);
});

test('who is shed for a higher band is the latest of the busiest key of the lowest', () => {
  const { queue } = queueOf('normal-a1', 'low-b1', 'low-c1', 'low-c2');
  expect(queue.shed('low')).toBeUndefined();
  expect([1, 2, 3, 4].map(() => queue.shed('high'))).toEqual(['low-c2', 'low-b1', 'low-c1', 'normal-a1']);
  expect(queue.shed('high')).toBeUndefined();
});

test.each([
  [{}, 'normal'],
  [{ header: 'high' }, 'normal'],
  [{ header: 'low' }, 'low'],
  [{ header: 'urgent' }, 'normal'],
  [{ route: 'high' }, 'high'],
  [{ route: 'low', header: 'normal' }, 'low'],
  [{ key: 'high' }, 'high'],
  [{ key: 'high', route: 'low' }, 'low'],
  [{ key: 'high', route: 'low', header: 'high' }, 'high'],
  [{ key: 'low', route: 'high', header: 'high' }, 'low'],
] as const)('what key, route and header say, %j, makes it %s', (said, band) => {
  expect(priorityOf({ key: undefined, route: undefined, header: undefined, ...said })).toBe(band);
});
