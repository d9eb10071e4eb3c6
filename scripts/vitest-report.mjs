// Reading vitest's JSON reports.
import { stripVTControlCharacters } from 'node:util';

/** @returns paths of the files in which a test, the set-up or the loading failed */
export function failedFiles(report) {
  return report.testResults.filter((file) => file.status === 'failed').map((file) => file.name);
}

/** @returns full titles of the tests that failed, with their file */
export function failedTests(report) {
  return titlesOf(report, 'failed');
}

/** @returns the same of those that passed */
export function passedTests(report) {
  return titlesOf(report, 'passed');
}

/**
 * What a reader wants to see of what failed: each test, or file that failed without a test, with the beginning of its message,
 * without colours.
 */
export function failuresOf(report) {
  return report.testResults.flatMap((file) => {
    const tests = file.assertionResults.filter((one) => one.status === 'failed');
    if (tests.length > 0)
      return tests.map(
        (one) => `${file.name} > ${one.fullName}\n${beginningOf(one.failureMessages?.join('\n'))}`,
      );
    return file.status === 'failed' ? [`${file.name}\n${beginningOf(file.message)}`] : [];
  });
}

const shownLines = 12;

function beginningOf(message = '') {
  return stripVTControlCharacters(message)
    .split('\n')
    .slice(0, shownLines)
    .map((line) => `  ${line}`)
    .join('\n');
}

function titlesOf(report, status) {
  return report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((one) => one.status === status)
      .map((one) => `${file.name} > ${one.fullName}`),
  );
}

/**
 * Counts of one report. A file that failed without a failed test (it could not be loaded, or its set-up failed) counts as
 * one failure, and so does a run that failed for no test at all.
 */
export function countsOf(report) {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const silent = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  );
  const failed = tests.filter((one) => one.status === 'failed').length + silent.length;
  const passed = tests.filter((one) => one.status === 'passed').length;
  return {
    passed,
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: tests.length - passed - (failed - silent.length),
  };
}

/**
 * What of the failed files is to be run again, as a pattern of names: whole groups, since their tests are steps that follow one
 * another. A group of which nothing ran may be one whose set-up failed, and is run too. Null, which is all, where some file failed
 * without a failed test.
 */
export function failedGroups(report) {
  const failed = report.testResults
    .filter((file) => file.status === 'failed')
    .map((file) => file.assertionResults.filter((one) => one.status === 'failed'));
  if (failed.some((tests) => tests.length === 0)) return null;
  const groups = report.testResults
    .filter((file) => file.status === 'failed')
    .flatMap((file) => groupsOf(file.assertionResults))
    .filter(({ statuses }) => statuses.includes('failed') || !statuses.includes('passed'))
    .map(({ name }) => name);
  return [...new Set(groups)]
    .map((name) => `^${name.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}`)
    .join('|');
}

/** Tests by the outermost group that they are in; one that is in none is its own. */
function groupsOf(tests) {
  const groups = new Map();
  for (const {
    ancestorTitles: [group],
    fullName,
    status,
  } of tests) {
    const name = group ?? fullName;
    groups.set(name, [...(groups.get(name) ?? []), status]);
  }
  return [...groups].map(([name, statuses]) => ({ name, statuses }));
}

/**
 * The report with what a second run has run in the place of the first's, test by test; what it left out stays. A success of the second
 * is one of the whole.
 */
export function withSecondRun(report, second) {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = report.testResults.map((file) => joined(file, again.get(file.name)));
  const othersFine = testResults.every((file) => file.status !== 'failed');
  return { testResults, success: second.success && othersFine };
}

function joined(file, again) {
  // One that could not be loaded, then or now, has no tests to be joined.
  if (!again || file.assertionResults.length === 0 || again.assertionResults.length === 0)
    return again ?? file;
  const ran = new Map(
    again.assertionResults
      .filter((one) => one.status === 'passed' || one.status === 'failed')
      .map((one) => [one.fullName, one]),
  );
  const assertionResults = file.assertionResults.map((one) => ran.get(one.fullName) ?? one);
  const isFine = again.status !== 'failed' && assertionResults.every((one) => one.status !== 'failed');
  return { ...file, assertionResults, status: isFine ? 'passed' : 'failed' };
}
