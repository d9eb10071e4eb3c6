import { expect, test } from 'vitest';
import { runBounded, vitestOf } from '../../tools/mutations/try-tests.ts';
import { root } from './source-tree.ts';

test('a run of tests that never ends is ended and told as hung, others by their exit code', async () => {
  const runs = ['for (;;);', 'process.exit(0)', 'process.exit(1)'].map((script, i) =>
    runBounded(['-e', script], { cwd: root, boundMs: i === 0 ? 500 : 100_000 }),
  );
  expect(await Promise.all(runs)).toEqual(['hung', 'passed', 'failed']);
});

test('the tests that try a mutation out end with the first that fails', () => {
  expect(vitestOf(root, 1).join(' ')).toMatch(/01-client-gone\.test\.ts .*-t rule 1: {2}--bail 1$/);
});
