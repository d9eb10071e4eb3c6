import { expect, test } from 'vitest';
import { exampleReport } from '../../../test/support/example-report.ts';
import { oneAfterTheOther } from './time-figures.tsx';

const gap = { inFlight: null };

test('the stages of a run follow each other in time, with nothing drawn between two', () => {
  const stages = exampleReport().stages.map(({ series }) => series?.points ?? []);
  const moments = oneAfterTheOther<'inFlight'>(stages, gap);
  expect(moments.map(({ at, inFlight }) => [at, inFlight])).toEqual([
    [10, 1],
    [30, 1],
    [50, 1],
    [65, null],
    [80, 2],
    [100, 2],
    [120, 2],
    [135, null],
    [150, 4],
    [170, 4],
    [190, 4],
  ]);
});

test('of stages that overlap, as those that hand their slots over do, the later one goes on where the first ended', () => {
  const moments = oneAfterTheOther<'inFlight'>(
    [
      [
        { at: 1, inFlight: 2 },
        { at: 3, inFlight: 1 },
      ],
      [
        { at: 2, inFlight: 1 },
        { at: 4, inFlight: 2 },
      ],
    ],
    gap,
  );
  expect(moments.map(({ at }) => at)).toEqual([1, 3, 3.5, 4]);
});
