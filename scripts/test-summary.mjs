// Adds up vitest's JSON reports, says what failed and how, and ends with one line: "N passed, N failed[, N skipped]". Exits 1 when something failed,
// when a report is missing (its run was cut) and when no test ran at all. Beside REPORT.json, REPORT.again.json is taken
// for the files that it holds.
import { existsSync, readFileSync } from 'node:fs';
import { countsOf, failuresOf, withSecondRun } from './vitest-report.mjs';

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    console.log(`${path} is missing: its run ended early, which counts as a failure.`);
    total.failed += 1;
    continue;
  }
  const again = path.replace(/\.json$/, '.again.json');
  const report = existsSync(again) ? withSecondRun(read(path), read(again)) : read(path);
  for (const failure of failuresOf(report)) console.log(`failed: ${failure}`);
  const counts = countsOf(report);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
