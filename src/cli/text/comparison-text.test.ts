import { expect, test } from 'vitest';
import { changeGates } from '../../bench/compare/change-limit.ts';
import type { Comparison, Difference } from '../../bench/compare/compare-runs.ts';
import { comparisonText, limitText } from './comparison-text.ts';

function difference(metric: string, base: number, other: number): Difference {
  return { metric, unit: 'ms', base, other, n: [9, 9], estimate: null, p: null, verdict: 'not enough data' };
}

const comparison: Comparison = {
  base: 'before',
  other: 'after',
  unequal: [],
  differs: [],
  clientLimited: false,
  missing: [],
  stages: [
    {
      label: '1 stream',
      differences: [difference('ITL p50', 0, 0), difference('ITL p95', 0, 2), difference('E2E p50', 10, 11)],
    },
  ],
};

test('a figure that was nothing has changed by nothing or by no part of it, and never by NaN', () => {
  const rows = comparisonText(comparison)
    .split('\n')
    .flatMap((line) => (line.startsWith('1 stream') ? [line.split(/ {2,}/)] : []));
  expect(rows.map(([, figure, , , change]) => [figure, change])).toEqual([
    ['ITL p50, ms', '+0.0 %'],
    ['ITL p95, ms', '-'],
    ['E2E p50, ms', '+10.0 %'],
  ]);
});

test('a limit on such a figure is kept by nothing and missed by anything', () => {
  const limits = ['ITL p50', 'ITL p95'].map((metric) => ({ metric, most: true, factor: 1.1, text: metric }));
  expect(changeGates(comparison, limits).map(limitText)).toEqual([
    'Kept: ITL p50 at 1 stream (+0.0 %).',
    'Missed: ITL p95 at 1 stream (-).',
  ]);
});
