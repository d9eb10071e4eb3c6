import { expect, test } from 'vitest';
import { afterNoWay, hasVanished } from './vanished.ts';
import type { NoWay, Unreached } from './vanished.ts';

function after(...checks: readonly (readonly [at: number, way: NoWay])[]): boolean {
  let row: Unreached | null = null;
  for (const [at, way] of checks) row = afterNoWay(row, way, at * 1000);
  return row !== null && hasVanished(row, (checks.at(-1)?.[0] ?? 0) * 1000);
}

test('a network that is away for a moment takes nothing from an engine', () => {
  expect(after([0, 'unreachable'], [1, 'unreachable'], [3, 'unreachable'], [7, 'unreachable'])).toBe(false);
  expect(after([0, 'unreachable'], [60, 'unreachable'])).toBe(false);
  expect(after([0, 'unreachable'], [8, 'unreachable'], [16, 'unreachable'])).toBe(true);
});

test('one whose queue of connections is full has a minute, too: nothing says that it is away', () => {
  expect(after([0, 'unanswered'], [20, 'unanswered'], [40, 'unanswered'], [59, 'unanswered'])).toBe(false);
  expect(after([0, 'unreachable'], [10, 'unanswered'], [20, 'unreachable'])).toBe(false);
  expect(after([0, 'unanswered'], [30, 'unanswered'], [60, 'unanswered'])).toBe(true);
});

test('an engine that has closed its door has a minute for what it has begun', () => {
  expect(after([0, 'refused'], [20, 'refused'], [40, 'refused'], [59, 'refused'])).toBe(false);
  expect(after([0, 'refused'], [20, 'unreachable'], [40, 'unreachable'])).toBe(false);
  expect(after([0, 'refused'], [30, 'refused'], [60, 'refused'])).toBe(true);
});
