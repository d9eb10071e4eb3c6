import { expect, test } from 'vitest';
import { exampleReport } from '../../../test/support/example-report.ts';
import { percentiles, throughput } from './run-charts.tsx';

test('the measured rate stands beside what one stream times n would give', () => {
  const { stages } = exampleReport();
  expect(throughput(stages).map(({ label, values }) => [label, values])).toEqual([
    ['measured', [31.2, 52.8, 83.1]],
    ['linear', [31.2, 62.4, 124.8]],
  ]);
});

test('without a stage of one stream there is no line to compare with', () => {
  expect(throughput(exampleReport().stages.slice(1))).toHaveLength(1);
});

test('a stage without a figure is a gap, not 0', () => {
  const stages = exampleReport().stages.map((stage, i) => (i === 1 ? { ...stage, itl: null } : stage));
  expect(percentiles(stages, 'itl')[0]?.values[1]).toBeNull();
});
