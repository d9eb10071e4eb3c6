import { expect, test } from 'vitest';
import { admission, retryAfter, surelyLate } from '../admission/admission.ts';
import { FairQueue } from '../admission/fair-queue.ts';
import { afterAnswer, afterFailure, afterNothing, healthState, healthy } from './health.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import { findUsage } from '../reply/usage.ts';

test('newcomers do not pass those who wait', () => {
  const load = {
    room: true,
    reachable: true,
    waiting: 0,
    queueLimit: 2,
    bodiesFit: true,
    late: () => false,
  };
  expect(admission(load)).toBe('go');
  expect(admission({ ...load, waiting: 1 })).toBe('wait');
  expect(admission({ ...load, room: false, waiting: 2 })).toBe('queue-full');
  expect(admission({ ...load, room: false, queueLimit: 0 })).toBe('queue-full');
  expect(admission({ ...load, reachable: false })).toBe('unreachable');
  expect(admission({ ...load, room: false, bodiesFit: false })).toBe('queue-full');
  expect(admission({ ...load, room: false, late: () => true })).toBe('too-late');
  expect(admission({ ...load, late: () => true })).toBe('go');
});

const measured = { served: 100, pace: null };

test('the time to come back grows with the queue and shrinks with slots, in whole seconds within bounds', () => {
  expect(retryAfter({ ...measured, waiting: 0, slots: 1, meanServiceMs: 10 }, 0)).toBe(1);
  expect(retryAfter({ ...measured, waiting: 9, slots: 1, meanServiceMs: 2000 }, 0)).toBe(20);
  expect(retryAfter({ ...measured, waiting: 9, slots: 4, meanServiceMs: 2000 }, 0)).toBe(5);
  expect(retryAfter({ ...measured, waiting: 9, slots: 4, meanServiceMs: 2000 }, 0.99)).toBe(8);
  expect(retryAfter({ ...measured, waiting: 9999, slots: 0, meanServiceMs: 2000 }, 1)).toBe(60);
});

test('a bound on requests per second is counted into the time to come back', () => {
  const pace = { perSecond: 0.5, level: 0.5 };
  const service = { ...measured, waiting: 0, slots: 4, meanServiceMs: 10, pace };
  expect(retryAfter(service, 0)).toBe(1);
  expect(retryAfter({ ...service, waiting: 9 }, 0)).toBe(19);
  expect(retryAfter({ ...service, waiting: 99 }, 0)).toBe(199);
});

test('a newcomer is turned away early only when it is nearly certain that it would wait too long', () => {
  const service = { ...measured, waiting: 15, slots: 1, meanServiceMs: 1000 };
  expect([surelyLate(service, 7000), surelyLate(service, 9000)]).toEqual([true, false]);
  expect(surelyLate({ ...service, slots: 4 }, 7000)).toBe(false);
  expect(surelyLate({ ...service, slots: Infinity }, 1)).toBe(false);
  expect(surelyLate({ ...service, served: 3 }, 7000)).toBe(false);
  expect(surelyLate({ ...service, waiting: 0, meanServiceMs: 60_000 }, 1000)).toBe(false);
  const paced = { ...service, served: 0, pace: { perSecond: 1, level: 0 } };
  expect([surelyLate(paced, 15_999), surelyLate(paced, 16_000)]).toEqual([true, false]);
});

test('a failed connection ejects, longer each time; an answer heals; a client that leaves the probe tells nothing', () => {
  const fail = { now: 0, sort: 'connect', mayEject: true, hasCheck: false } as const;
  const once = afterFailure(healthy, fail);
  expect(healthState(once, 999)).toBe('ejected');
  expect(healthState(once, 1000)).toBe('probe-due');
  expect(healthState({ ...once, probing: true }, 1000)).toBe('probing');
  expect(healthState(afterNothing({ ...once, probing: true }), 1000)).toBe('probe-due');
  const twice = afterFailure(once, { ...fail, mayEject: false });
  expect(healthState(twice, 1999)).toBe('ejected');
  expect(afterAnswer(twice)).toBe(healthy);
});

test('broken replies eject only in a row, and nothing ejects beyond the share that may be', () => {
  const broke = { now: 0, sort: 'broke', mayEject: true, hasCheck: false } as const;
  const two = afterFailure(afterFailure(healthy, broke), broke);
  expect(healthState(two, 0)).toBe('healthy');
  expect(healthState(afterFailure(two, broke), 0)).toBe('ejected');
  const kept = afterFailure(healthy, { ...broke, sort: 'connect', mayEject: false });
  expect([healthState(kept, 0), kept.away]).toEqual(['healthy', true]);
});

test('keys take turns, and leaving the line keeps the order of the rest', () => {
  const queue = new FairQueue<string>();
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(item.charAt(0), item);
  expect(queue.remove('a', 'a2')).toBe(true);
  expect(queue.remove('a', 'a2')).toBe(false);
  expect([queue.placeOfNew('a'), queue.placeOfNew('b'), queue.placeOfNew('new')]).toEqual([6, 5, 4]);
  expect(queue.size).toBe(5);
  expect(Array.from({ length: 6 }, () => queue.next())).toEqual(['a1', 'b1', 'c1', 'a3', 'c2', undefined]);
});

test('retries are a fifth of the requests, with ten saved up at most', () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 100; i += 1) budget.onRequest();
  let retries = 0;
  for (let i = 0; i < 100; i += 1) {
    budget.onRequest();
    if (budget.allows) {
      budget.spend();
      retries += 1;
    }
  }
  expect(retries).toBeGreaterThanOrEqual(28);
  expect(retries).toBeLessThanOrEqual(30);
});

test('usage is read from the last usage object, not from text that looks like one', () => {
  expect(findUsage('…"usage":null…"usage" : {"prompt_tokens":3,"completion_tokens":4,"d":{"x":1}}}')).toEqual(
    { input: 3, output: 4 },
  );
  expect(findUsage('{"usage":{"prompt_tokens":3},"content":"\\"usage\\":{\\"prompt_tokens\\":9}"}')).toEqual({
    input: 3,
    output: null,
  });
  expect(findUsage('"usage":{"prompt_tokens":"3"}')).toBeNull();
  expect(findUsage('"usage":{"prompt_tokens":3')).toBeNull();
  expect(findUsage('')).toBeNull();
});
