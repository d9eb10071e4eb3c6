import { expect, test } from 'vitest';
import { hashText } from '../../domain/hashing.ts';
import { pickArm, pickSticky } from './resolve.ts';
import type { Arm } from './resolve.ts';

function arms(weights: Readonly<Record<string, number>>): Arm<string>[] {
  return Object.entries(weights).map(([target, weight]) => ({ target, weight, reachable: true }));
}

const clients = Array.from({ length: 10_000 }, (_, i) => hashText(`client-${i}`));

function deal(weights: Readonly<Record<string, number>>): (string | null)[] {
  return clients.map((client) => pickSticky(arms(weights), client, (target) => target));
}

function count(dealt: readonly (string | null)[], target: string): number {
  return dealt.filter((one) => one === target).length;
}

test('arms are picked by weight among those that can be reached, all when none can', () => {
  const both = arms({ a: 1, b: 3 });
  expect([0, 0.24, 0.25, 0.99].map((random) => pickArm(both, random))).toEqual(['a', 'a', 'b', 'b']);
  const away = { target: 'a', weight: 9, reachable: false };
  expect(pickArm([away, ...both.slice(1)], 0)).toBe('b');
  expect(pickArm([away], 0)).toBe('a');
  expect(pickArm([], 0)).toBeNull();
});

test.each([
  { a: 1, b: 1 },
  { a: 9, b: 1 },
  { a: 5, b: 3, c: 2 },
])('clients are held in shares that come from the weights %j, within five standard deviations', (weights) => {
  const dealt = deal(weights);
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  for (const [target, weight] of Object.entries(weights)) {
    const share = weight / total;
    const deviation = Math.sqrt(clients.length * share * (1 - share));
    expect(Math.abs(count(dealt, target) - clients.length * share)).toBeLessThan(5 * deviation);
  }
});

test('when weights change, clients move only to the arm that grew, and only as many as must', () => {
  const before = deal({ a: 5, b: 3, c: 2 });
  const after = deal({ a: 5, b: 3, c: 4 });
  const moved = after.filter((target, i) => target !== before[i]);
  expect(new Set(moved)).toEqual(new Set(['c']));
  // From 2 of 10 to 4 of 12.
  expect(Math.abs(moved.length - clients.length * (4 / 12 - 2 / 10))).toBeLessThan(200);
});

test('an arm that cannot be reached lends its clients out and gets the same ones back', () => {
  const before = deal({ a: 1, b: 1, c: 1 });
  const some = arms({ a: 1, b: 1, c: 1 }).map((arm) => ({ ...arm, reachable: arm.target !== 'b' }));
  const during = clients.map((client) => pickSticky(some, client, (target) => target));
  expect(count(during, 'b')).toBe(0);
  const moved = before.filter((target, i) => target !== during[i]);
  expect(new Set(moved)).toEqual(new Set(['b']));
  expect(deal({ a: 1, b: 1, c: 1 })).toEqual(before);
});
