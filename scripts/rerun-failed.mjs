// `node scripts/rerun-failed.mjs PROJECT REPORT SECOND`: runs what failed in a JSON report of vitest once more, one file
// after the other and of each the groups of tests with a failure in them, and writes SECOND. What passes now is printed as
// unsteady: a fault to mend, but none of the product as a whole on a machine that was busy. Where many files failed it is no
// accident, and nothing is run again.
import { existsSync, readFileSync } from 'node:fs';
import { main, runTool } from './bootstrap.mjs';
import { failedFiles, failedGroups, failedTests, passedTests } from './vitest-report.mjs';

const mostFiles = 3;

await main(async ([project, first, second]) => {
  if (!existsSync(first)) return 0;
  const report = JSON.parse(readFileSync(first, 'utf8'));
  const files = failedFiles(report);
  if (files.length === 0 || files.length > mostFiles) return 0;
  const groups = failedGroups(report);
  console.log(`Once more: ${files.join(', ')}${groups === null ? '' : `, of them ${groups}`}`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${second}`];
  const names = groups === null ? [] : ['-t', groups];
  await runTool('vitest', [
    'run',
    '--project',
    project,
    '--no-file-parallelism',
    ...reporters,
    ...names,
    ...files,
  ]);
  if (!existsSync(second)) return 0;
  const fine = new Set(passedTests(JSON.parse(readFileSync(second, 'utf8'))));
  for (const name of failedTests(report)) if (fine.has(name)) console.log(`unsteady: ${name}`);
  return 0;
});
