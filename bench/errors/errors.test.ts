import { expect, test } from 'vitest';
import type { TruthEntry } from '../bench/truth.ts';
import type { ToldRequest } from '../lib/tools/contract.ts';
import { plannedCases, wholeCases } from './cases.ts';
import {
  errorOf,
  firstTokensOfNone,
  outcomesWrong,
  pairsOf,
  poissonDistance,
  tokensWrong,
} from './errors.ts';

const cases = plannedCases();
const plans = new Map(cases.map((each) => [each.name, each]));
const good = cases.find((each) => each.good)?.name ?? '';
const faulty = cases.find((each) => !each.good)?.name ?? '';

/** Received at 1 s, three tokens from 1.05 s on, with gaps of 10 and of 400 ms. */
function entry(number: number, play: string, lateMicros = 0): TruthEntry {
  const times = [1_050_000, 1_060_000, 1_460_000].map((at) => at + lateMicros);
  const received = 1e6 + lateMicros;
  return { number, play, received, begun: received, writes: times.map((at) => ({ at, tokens: 1 })) };
}

function told(number: number, changes: Partial<ToldRequest> = {}): ToldRequest {
  const times = { ttftMs: 50, tpotMs: 205, longestGapMs: 400, e2eMs: 460, fromScheduleMs: 460 };
  return { number, ...times, tokens: 3, ...changes };
}

test('what is told as the server wrote it has no error', () => {
  const measured = { told: [told(1)], log: [entry(1, good), entry(2, faulty, 100_000)], plans };
  const pairs = pairsOf(measured, 10);
  for (const figure of ['ttftMs', 'tpotMs', 'longestGapMs', 'e2eMs', 'fromScheduleMs'] as const)
    expect(errorOf(pairs, figure, 0.99)).toBe(0);
  expect([tokensWrong(pairs), outcomesWrong(measured)]).toEqual([0, 0]);
});

test('errors are told without their sign, and a figure that a tool does not give is none', () => {
  const changed = told(1, { ttftMs: 48, longestGapMs: null, tokens: 4 });
  const pairs = pairsOf({ told: [changed], log: [entry(1, good)], plans });
  expect(errorOf(pairs, 'ttftMs', 0.5)).toBe(2);
  expect(errorOf(pairs, 'longestGapMs', 0.99)).toBeNull();
  expect([tokensWrong(pairs), firstTokensOfNone(pairs)]).toEqual([1, 1]);
});

test('a failure taken for good and a good answer left out are wrong outcomes', () => {
  expect(outcomesWrong({ told: [told(2)], log: [entry(1, good), entry(2, faulty)], plans })).toBe(2);
});

test('a request that came later than a steady rate wants waited from the moment it was due', () => {
  // Ten a second: the second is due 100 ms after the first and comes 30 ms late.
  const log = [entry(1, good), entry(2, good, 130_000)];
  const pairs = pairsOf({ told: [told(1), told(2)], log, plans }, 10);
  expect(errorOf(pairs, 'fromScheduleMs', 1)).toBeCloseTo(30);
});

test('starts at a steady rate are not taken for starts by Poisson', () => {
  expect(
    poissonDistance(
      Array.from({ length: 100 }, (_, i) => i / 10),
      10,
    ),
  ).toBeGreaterThan(1.36);
});

test('at least fourteen cases are played, faults of every kind among them', () => {
  expect(new Set(cases.map(({ of }) => of)).size).toBeGreaterThanOrEqual(14);
  expect(cases.length).toBeLessThanOrEqual(64);
  expect(cases.filter((each) => !each.good).length).toBeGreaterThanOrEqual(10);
});

test('answers in one piece are refused, slow and wrongly counted too', () => {
  const whole = wholeCases();
  expect(whole.every(({ stream }) => stream === false)).toBe(true);
  expect(whole.filter((each) => !each.good)).toHaveLength(3);
  expect(whole.some(({ of }) => of === 'usage that is wrong')).toBe(true);
});
