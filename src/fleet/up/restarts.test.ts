import { expect, test } from 'vitest';
import { afterRestart, mayRestart, waitBeforeRestart } from './restarts.ts';
import type { Attempts } from './restarts.ts';

test('a crashed engine is started at once, then after 1, 2, 4 s and so on, at most a minute', () => {
  let attempts: Attempts | undefined;
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 9; i += 1) {
    const wait = waitBeforeRestart(attempts);
    waits.push(wait / 1000);
    expect(mayRestart(attempts, now + wait)).toBe(true);
    expect(mayRestart(attempts, now + wait - 1)).toBe(wait === 0);
    now += wait;
    attempts = afterRestart(attempts, now);
  }
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
});

test('an engine that ran well for two minutes begins anew', () => {
  const attempts = afterRestart({ count: 7, lastAt: 0 }, 121_000);
  expect(attempts.count).toBe(1);
});
