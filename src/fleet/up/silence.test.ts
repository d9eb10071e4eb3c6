import { expect, test } from 'vitest';
import { afterSight, hangs } from './silence.ts';
import type { Sight, Silence } from './silence.ts';

const patience = { idleMs: 60_000, busyMs: 600_000 };

/** Looks every five seconds; the last sight says whether it is busy. Returns when it is first said to hang; null: never. */
function firstHang(sights: readonly Partial<Sight>[]): number | null {
  let silence: Silence | null = null;
  for (const [i, part] of sights.entries()) {
    const sight = { answers: false, moves: false, busy: false, ...part };
    silence = afterSight(silence, sight, i * 5_000);
    if (hangs(silence, sight, patience, i * 5_000)) return i * 5_000;
  }
  return null;
}

function times(count: number, sight: Partial<Sight>): Partial<Sight>[] {
  return Array.from({ length: count }, () => sight);
}

test('an idle engine hangs after its time in silence, and not while it answers now and then', () => {
  expect(firstHang(times(100, {}))).toBe(60_000);
  expect(firstHang([...times(11, {}), { answers: true }, ...times(11, {})])).toBeNull();
});

test('requests under way earn an engine the longer patience, which ends with them', () => {
  expect(firstHang(times(200, { busy: true }))).toBe(600_000);
  expect(firstHang([...times(60, { busy: true }), {}])).toBe(300_000);
});

test('an engine whose streams or counters move never hangs', () => {
  expect(firstHang(times(500, { busy: true, moves: true }))).toBeNull();
  expect(firstHang([...times(50, { moves: true }), ...times(20, {})])).toBe(49 * 5_000 + 60_000);
});

test('a single look never makes a hang, however short the patience', () => {
  const late = { misses: 2, since: 0 };
  expect(hangs(late, { busy: false }, { idleMs: 1, busyMs: 1 }, 1e6)).toBe(false);
  expect(hangs({ misses: 3, since: 0 }, { busy: false }, { idleMs: 1, busyMs: 1 }, 1e6)).toBe(true);
});
