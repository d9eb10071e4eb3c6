// Reading vitest's JSON reports.

/** @returns paths of the files in which a test, the set-up or the loading failed */
export function failedFiles(report) {
  return report.testResults.filter((file) => file.status === 'failed').map((file) => file.name);
}

/** @returns full titles of the tests that failed, with their file */
export function failedTests(report) {
  return report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((one) => one.status === 'failed')
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

/** The report with the files of a second run in the place of the first's. A success of the second is one of the whole. */
export function withSecondRun(report, second) {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = report.testResults.map((file) => again.get(file.name) ?? file);
  const othersFine = testResults.every((file) => file.status !== 'failed');
  return { testResults, success: second.success && othersFine };
}
