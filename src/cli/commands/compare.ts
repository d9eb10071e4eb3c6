import type { Command } from 'commander';
import { compareRuns } from '../../bench/compare/compare-runs.ts';
import type { Comparison, Run } from '../../bench/compare/compare-runs.ts';
import { readRecords } from '../../bench/record-file.ts';
import { loadReport, runFolder } from '../../bench/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { World } from '../../io/world.ts';
import { comparisonText } from '../comparison-text.ts';
import type { CliContext } from '../context.ts';

export const examples = [
  ['berth compare last~1 last', 'Holds the newest run against the one before; exit code 4 when it is worse.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .argument('<base>', 'the run to hold the others against, as "berth report" takes it')
    .argument('<runs...>', 'the runs that are compared with it')
    .option('--tolerance <percent>', 'changes up to this are none', '5')
    .option('--unequal', 'compare runs of unequal work too')
    .action(async (base: string, runs: string[], options: { tolerance: string; unequal?: boolean }) => {
      const tolerance = toleranceOf(options.tolerance);
      const baseline = await openRun(context.world, base);
      const comparisons: Comparison[] = [];
      for (const run of runs)
        comparisons.push(compareRuns(baseline, await openRun(context.world, run), { tolerance }));
      const unequal = comparisons.find((one) => one.unequal.length > 0);
      if (unequal && !options.unequal)
        throw new BerthError('RUNS_UNEQUAL', { run: unequal.other, differences: unequal.unequal });
      context.output.result({ comparisons }, () => comparisons.map(comparisonText).join('\n\n'));
      if (comparisons.some((one) => one.clientLimited)) return context.exit(exitCodes.clientLimited);
      const differences = comparisons.flatMap((one) => one.stages.flatMap((stage) => stage.differences));
      if (differences.some(({ verdict }) => verdict === 'worse')) context.exit(exitCodes.regression);
    });
}

async function openRun(world: World, name: string): Promise<Run> {
  const folder = await runFolder(world, name);
  return { report: await loadReport(world, name), records: await readRecords(world.files, folder) };
}

function toleranceOf(text: string): number {
  const percent = Number(text);
  if (text.trim() !== '' && percent >= 0 && percent < 100) return percent / 100;
  throw new BerthError('USAGE', {
    detail: `--tolerance is a percentage from 0 to 99, not "${text}".`,
    command: 'compare',
  });
}
