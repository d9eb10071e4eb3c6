import { expect, test } from 'vitest';
import { addedQuantile, cpuPerEvent, ttftQuantile } from './compare.ts';
import type { Turn } from './compare.ts';

function turn(ttftMs: number[], change: Partial<Turn> = {}): Turn {
  return { ttftMs, events: 10, durationMs: 100, cpuUs: null, ...change };
}

test('a constant that is added is found exactly, with an interval that holds it', () => {
  const base = Array.from({ length: 250 }, (_, i) => turn([20 + (i % 7)]));
  const side = base.map(({ ttftMs }) => turn(ttftMs.map((ms) => ms + 5)));
  for (const q of [0.5, 0.99]) {
    const added = addedQuantile(base, side, q);
    expect(added?.ms).toBeCloseTo(5);
    expect(added?.interval[0]).toBeLessThanOrEqual(5);
    expect(added?.interval[1]).toBeGreaterThanOrEqual(5);
  }
  expect(ttftQuantile(side, 0)).toBe(25);
});

test('turns whose noise is shared by both ways still tell a small difference', () => {
  const noise = Array.from({ length: 100 }, (_, i) => 50 * ((i * 37) % 11));
  const base = noise.map((ms) => turn([ms]));
  const side = noise.map((ms) => turn([ms + 1]));
  const added = addedQuantile(base, side, 0.5);
  expect(added?.interval).toEqual([1, 1]);
});

test('too few turns say nothing, and fewer than 200 requests nothing of a 99th percentile', () => {
  const few = Array.from({ length: 9 }, () => turn([1]));
  const some = Array.from({ length: 199 }, () => turn([1]));
  expect(addedQuantile(few, few, 0.5)).toBeNull();
  expect(addedQuantile(some, some, 0.5)).not.toBeNull();
  expect(addedQuantile(some, some, 0.99)).toBeNull();
});

test('what the proxy takes while idle is not charged to its events; unknown processor time stays unknown', () => {
  const turns = [turn([1], { cpuUs: 300 }), turn([1], { cpuUs: 100 })];
  expect(cpuPerEvent(turns, null)).toBe(20);
  expect(cpuPerEvent(turns, { cpuUs: 100, durationMs: 100 })).toBe(10);
  expect(cpuPerEvent([turn([1])], null)).toBeNull();
});
