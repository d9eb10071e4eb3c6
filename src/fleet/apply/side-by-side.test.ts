import { expect, test } from 'vitest';
import { inRuns, sideBySide } from './side-by-side.ts';

test('chains go on side by side, and each keeps its order', async () => {
  const said: string[] = [];
  const gate = Promise.withResolvers<void>();
  const all = sideBySide([['a1', 'a2'], ['b1']], async (one) => {
    said.push(one);
    if (one === 'a1') await gate.promise;
    if (one === 'b1') gate.resolve();
  });
  await all;
  expect(said).toEqual(['a1', 'b1', 'a2']);
});

test('after a failure nothing new begins, what is under way ends, and the first failure is thrown', async () => {
  const said: string[] = [];
  const failed = Promise.withResolvers<void>();
  const all = sideBySide(
    [
      ['bad', 'never'],
      ['slow', 'later'],
    ],
    async (one) => {
      if (one === 'bad') {
        failed.resolve();
        throw new Error('bad');
      }
      await failed.promise;
      said.push(one);
    },
  );
  await expect(all).rejects.toThrow('bad');
  expect(said).toEqual(['slow']);
});

test('what does not belong together is done by itself, in its place', () => {
  const all = ['x', 'A1', 'B1', 'A2', 'y', 'A3'];
  const runs = inRuns(all, { belongs: (one) => /[A-Z]/.test(one), keyOf: (one) => one[0] ?? '' });
  expect(runs).toEqual([[['x']], [['A1', 'A2'], ['B1']], [['y']], [['A3']]]);
});
