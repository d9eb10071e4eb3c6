// The report of a run of a million requests, from its records: `npm run bench:analysis [-- --requests N] [--keep FOLDER]`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reportGoals } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { median } from '../lib/pairs.ts';
import { writeRun } from './records.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    turns: { type: 'string', default: '3' },
    keep: { type: 'string' },
  },
});
const root = join(import.meta.dirname, '../..');

/** `berth report` of a folder without a report makes one from the records: what it takes, as its user sees it. */
function analyse(folder: string): { seconds: number; mebibytes: number } {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,process.on('exit',()=>process.stderr.write('rss '+process.resourceUsage().maxRSS))`,
      join(root, 'bin/berth.js'),
      'report',
      folder,
      '--json',
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(`berth report ended with ${status}: ${stderr}`);
  const { stages } = JSON.parse(stdout) as { stages: { requests: { ok: number }; itl: { n: number } }[] };
  const [stage] = stages;
  console.log(
    `${stage?.requests.ok} requests with ${stage?.itl.n} gaps: ${seconds.toFixed(2)} s, ` +
      `${(Number(/rss (\d+)/.exec(stderr)?.[1]) / 1024).toFixed(0)} MiB`,
  );
  return { seconds, mebibytes: Number(/rss (\d+)/.exec(stderr)?.[1]) / 1024 };
}

async function main(): Promise<void> {
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'berth-bench-analysis-'));
  try {
    console.log(machineLine());
    const path = await writeRun(folder, Number(values.requests));
    console.log(`records: ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
    const turns = Array.from({ length: Number(values.turns) }, () => analyse(folder));
    reportGoals([
      {
        name: 'bench.analysis.seconds',
        bound: { atMost: 4 },
        value: median(turns.map((one) => one.seconds)),
      },
      {
        name: 'bench.analysis.mebibytes',
        bound: { atMost: 1024 },
        value: Math.max(...turns.map((one) => one.mebibytes)),
      },
    ]);
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

await main();
