import { expect, test } from 'vitest';
import { createLineGate } from './own-line.ts';

test('of lines that anybody may cause, sixty pass at once and then one a second, which tells how many were left out', () => {
  const gate = createLineGate();
  function passed(times: number, now: number): number {
    return Array.from({ length: times }, () => gate.pass(now)).filter((told) => told !== null).length;
  }
  expect(passed(100, 5000)).toBe(60);
  expect([gate.pass(5999), gate.pass(6000), gate.pass(6000)]).toEqual([null, 41, null]);
  expect(passed(100, 8500)).toBe(2);
  // What is left of a second counts.
  expect(passed(100, 9000)).toBe(1);
  expect(passed(100, 1e6)).toBe(60);
});
