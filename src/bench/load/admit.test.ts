import { expect, test } from 'vitest';
import { admit } from './admit.ts';
import type { Admission } from './admit.ts';

const start: Admission = {
  now: 0,
  startedAt: 0,
  warmup: 0,
  measured: 0,
  measuredSince: null,
  streams: 4,
  stopped: false,
};
const limits = { seconds: 10, requests: 100 };

test('every stream warms up, even when fewer requests are asked for', () => {
  const warmup = { kind: 'requests', count: 2 } as const;
  expect(admit({ ...start, warmup: 3 }, { warmup, limits })).toBe('warmup');
  expect(admit({ ...start, warmup: 4 }, { warmup, limits })).toBe('measured');
});

test('a warm-up in seconds lasts at least one request of each stream', () => {
  const warmup = { kind: 'seconds', seconds: 1 } as const;
  expect(admit({ ...start, warmup: 9, now: 900_000 }, { warmup, limits })).toBe('warmup');
  expect(admit({ ...start, warmup: 3, now: 1_100_000 }, { warmup, limits })).toBe('warmup');
  expect(admit({ ...start, warmup: 4, now: 1_100_000 }, { warmup, limits })).toBe('measured');
});

test('once a request has been measured, nothing warms up any more', () => {
  const warmup = { kind: 'requests', count: 8 } as const;
  const state = { ...start, warmup: 7, measured: 1, measuredSince: 5 };
  expect(admit(state, { warmup, limits })).toBe('measured');
});

test('the limit in seconds counts from the first measured request, not from the warm-up', () => {
  const warmup = { kind: 'none' } as const;
  const state = { ...start, measured: 1, measuredSince: 5_000_000 };
  expect(admit({ ...state, now: 14_999_999 }, { warmup, limits })).toBe('measured');
  expect(admit({ ...state, now: 15_000_000 }, { warmup, limits })).toBe('stop');
});

test('whichever limit comes first ends the stage, and an interrupt at once', () => {
  const warmup = { kind: 'none' } as const;
  expect(admit({ ...start, measured: 100, measuredSince: 0 }, { warmup, limits })).toBe('stop');
  expect(admit({ ...start, stopped: true }, { warmup, limits })).toBe('stop');
});
