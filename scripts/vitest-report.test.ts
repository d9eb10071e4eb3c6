import { expect, test } from 'vitest';
import {
  countsOf,
  failedFiles,
  failedGroups,
  failedTests,
  failuresOf,
  withSecondRun,
} from './vitest-report.mjs';

function file(name: string, ...outcomes: readonly string[]): Record<string, unknown> {
  return {
    name,
    status: outcomes.includes('failed') || outcomes.length === 0 ? 'failed' : 'passed',
    assertionResults: outcomes.map((status, i) => ({
      status,
      fullName: `${name} ${i}`,
      ancestorTitles: [],
    })),
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

test('what failed is said with the beginning of its message, and so is a file that could not be loaded', () => {
  const long = Array.from({ length: 40 }, (_, i) => `\u001b[31mline ${i}\u001b[39m`).join('\n');
  const bad = { status: 'failed', fullName: 'sums', ancestorTitles: [], failureMessages: [long] };
  const report = {
    testResults: [
      { name: 'a', status: 'failed', assertionResults: [bad, { ...bad, status: 'passed' }] },
      { name: 'b', status: 'failed', message: 'no such module', assertionResults: [] },
      file('c', 'passed'),
    ],
  };
  const [test, loading, ...more] = failuresOf(report);
  expect(test).toMatch(/^a > sums\n  line 0\n(  line \d+\n)*  line 11$/);
  expect(loading).toBe('b\n  no such module');
  expect(more).toEqual([]);
});

test('a second run stands for the files that it ran, and for no other', () => {
  const good = { success: true, testResults: [file('a', 'passed', 'passed'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, good))).toEqual({ passed: 4, failed: 0, skipped: 1 });
  const half = { success: true, testResults: [file('a', 'passed', 'passed')] };
  expect(countsOf(withSecondRun(first, half))).toEqual({ passed: 3, failed: 1, skipped: 1 });
  const bad = { success: false, testResults: [file('a', 'passed', 'failed'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, bad)).failed).toBe(1);
});

test('what a second run has left out stays as it was', () => {
  const part = { success: true, testResults: [file('a', 'skipped', 'passed'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, part))).toEqual({ passed: 4, failed: 0, skipped: 1 });
  const less = { success: true, testResults: [file('a', 'passed', 'skipped'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, less)).failed).toBe(1);
  const broken = { success: false, testResults: [file('a'), file('c', 'passed')] };
  expect(countsOf(withSecondRun(first, broken)).failed).toBe(1);
});

test('groups with a failure run again as a whole, and everything where a file failed without a test', () => {
  function story(title: string, status: string, group?: string): Record<string, unknown> {
    return { status, fullName: `${group ?? ''} ${title}`.trim(), ancestorTitles: group ? [group] : [] };
  }
  const tests = [
    story('a', 'failed', 'ssh (real)'),
    story('b', 'failed', 'ssh (real)'),
    story('c', 'passed', 'docker'),
    story('d+', 'failed'),
    // Its set-up failed, or it has something missing here.
    story('e', 'skipped', 'kubernetes'),
  ];
  const report = { testResults: [{ name: 'f', status: 'failed', assertionResults: tests }] };
  const pattern = failedGroups(report);
  expect(pattern).toBe(String.raw`^ssh \(real\)|^d\+|^kubernetes`);
  const found = tests.filter(({ fullName }) => new RegExp(pattern ?? '').test(String(fullName)));
  expect(found.map((one) => one['fullName'])).toEqual(['ssh (real) a', 'ssh (real) b', 'd+', 'kubernetes e']);
  expect(failedGroups(first)).toBeNull();
});
