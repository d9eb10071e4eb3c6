import { expect, test } from 'vitest';
import type { TruthEntry } from '../bench/truth.ts';
import { plannedCases } from './cases.ts';
import { errorsOf } from './errors.ts';
import type { ToldRequest } from './tools.ts';

const cases = plannedCases();
const plans = new Map(cases.map((each) => [each.name, each]));
const good = cases.find((each) => each.good)?.name ?? '';
const faulty = cases.find((each) => !each.good)?.name ?? '';

/** Received at 1 s, three tokens from 1.05 s on, with gaps of 10 and of 400 ms. */
function entry(number: number, play: string): TruthEntry {
  const times = [1_050_000, 1_060_000, 1_460_000];
  return { number, play, received: 1e6, begun: 1e6, writes: times.map((at) => ({ at, tokens: 1 })) };
}

function told(number: number, changes: Partial<ToldRequest> = {}): ToldRequest {
  return { number, ttftMs: 50, tpotMs: 205, longestGapMs: 400, e2eMs: 460, tokens: 3, ...changes };
}

test('what is told as the server wrote it has no error', () => {
  const errors = errorsOf([told(1)], [entry(1, good), entry(2, faulty)], plans);
  expect(Object.values(errors)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test('errors are told without their sign, and a figure that a tool does not give is none', () => {
  const errors = errorsOf([told(1, { ttftMs: 48, longestGapMs: null, tokens: 4 })], [entry(1, good)], plans);
  expect(errors).toMatchObject({ 'TTFT p50': 2, 'longest gap p99': null, 'tokens wrong': 1 });
});

test('a failure taken for good and a good answer left out are wrong outcomes', () => {
  expect(errorsOf([told(2)], [entry(1, good), entry(2, faulty)], plans)['outcomes wrong']).toBe(2);
});

test('at least fourteen cases are played, faults of every kind among them', () => {
  expect(new Set(cases.map(({ of }) => of)).size).toBeGreaterThanOrEqual(14);
  expect(cases.length).toBeLessThanOrEqual(64);
  expect(cases.filter((each) => !each.good).length).toBeGreaterThanOrEqual(10);
});
