// Adds up vitest's JSON reports and ends with one line: "N passed, N failed[, N skipped]". Exits 1 when something failed,
// when a report is missing (its run was cut) and when no test ran at all.
import { existsSync, readFileSync } from 'node:fs';

/**
 * Counts of one report. A file that failed without a failed test (it could not be loaded, or its set-up failed) counts as
 * one failure, and so does a run that failed for no test at all.
 */
function countsOf(report) {
  const silent = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  );
  const failed = report.numFailedTests + silent.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    console.log(`${path} is missing: its run ended early, which counts as a failure.`);
    total.failed += 1;
    continue;
  }
  const counts = countsOf(JSON.parse(readFileSync(path, 'utf8')));
  for (const key of Object.keys(total)) total[key] += counts[key];
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
