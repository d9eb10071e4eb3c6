import { expect, test } from 'vitest';
import { countsOf, failedFiles, failedTests, withSecondRun } from './vitest-report.mjs';

function file(name: string, ...outcomes: readonly string[]): Record<string, unknown> {
  return {
    name,
    status: outcomes.includes('failed') || outcomes.length === 0 ? 'failed' : 'passed',
    assertionResults: outcomes.map((status, i) => ({ status, fullName: `${name} ${i}` })),
  };
}

const first = {
  success: false,
  testResults: [file('a', 'passed', 'failed'), file('b', 'passed', 'skipped'), file('c')],
};

test('a file that could not be loaded counts as one failure, and so does a run that failed for no test', () => {
  expect(countsOf(first)).toEqual({ passed: 2, failed: 2, skipped: 1 });
  expect(countsOf({ success: false, testResults: [file('b', 'passed')] })).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
  expect(failedFiles(first)).toEqual(['a', 'c']);
  expect(failedTests(first)).toEqual(['a > a 1']);
});

test('a second run stands for the files that it ran, and for no other', () => {
  const good = { success: true, testResults: [file('a', 'passed', 'passed'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, good))).toEqual({ passed: 4, failed: 0, skipped: 1 });
  const half = { success: true, testResults: [file('a', 'passed', 'passed')] };
  expect(countsOf(withSecondRun(first, half))).toEqual({ passed: 3, failed: 1, skipped: 1 });
  const bad = { success: false, testResults: [file('a', 'passed', 'failed'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, bad)).failed).toBe(1);
});
