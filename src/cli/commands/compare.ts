import { resolve } from 'node:path';
import type { Command } from 'commander';
import { changeGates, parseChangeLimit } from '../../bench/compare/change-limit.ts';
import type { ChangeGate, ChangeLimit } from '../../bench/compare/change-limit.ts';
import { compareRuns } from '../../bench/compare/compare-runs.ts';
import type { Comparison } from '../../bench/compare/compare-runs.ts';
import { foreignSide, ownSide } from '../../bench/compare/side.ts';
import type { Side } from '../../bench/compare/side.ts';
import { readForeign } from '../../bench/read-foreign.ts';
import { readRecords } from '../../bench/record-file.ts';
import { historyOf } from '../../bench/run-history.ts';
import { loadReport, runFolder } from '../../bench/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { comparisonMarkdown } from '../comparison-markdown.ts';
import { comparisonText } from '../comparison-text.ts';
import type { CliContext } from '../context.ts';
import { historyText } from '../history-text.ts';

export const examples = [
  ['berth compare last~1 last', 'Holds the newest run against the one before; exit code 4 when it is worse.'],
  [
    'berth compare last~2 last~1 last --format markdown',
    'Several against the first, as tables for a pull request.',
  ],
  ['berth compare @main last --limit "ttft.p95 <= +10%"', 'A gate: exit code 4 when it is surely missed.'],
  [
    'berth compare last --history',
    'Holds a run against all earlier ones of the same; exit code 4 when it and the one before are worse.',
  ],
  ['berth compare guidellm.json last', 'A run of another tool beside one of berth, as far as they compare.'],
] as const;

interface Options {
  readonly tolerance: string;
  readonly unequal?: boolean;
  readonly format: string;
  readonly history?: boolean;
  readonly limit?: readonly string[];
}

export function configure(command: Command, context: CliContext): void {
  command
    .argument('<base>', 'the run to hold the others against, as "berth report" takes it')
    .argument('[runs...]', 'the runs that are compared with it')
    .option('--tolerance <percent>', 'changes up to this are none', '5')
    .option('--unequal', 'compare runs of unequal work too')
    .option('--format <format>', 'text or markdown', 'text')
    .option(
      '--limit <change...>',
      'what may change at most, else exit code 4: "ttft.p95 <= +10%" "output_rate >= -5%"',
    )
    .option('--history', 'hold the one run named against all earlier ones of the same')
    .action(async (base: string, runs: string[], options: Options) => {
      if (options.history) return compareWithHistory(base, runs, context);
      if (runs.length === 0)
        throw new BerthError('USAGE', {
          detail: 'Name the runs to hold against the first, or say --history.',
          command: 'compare',
        });
      const limits = (options.limit ?? []).map(limitOf);
      const tolerance = toleranceOf(options.tolerance);
      const text = formatOf(options.format);
      const baseline = await openSide(context, base);
      const comparisons: Comparison[] = [];
      for (const run of runs)
        comparisons.push(compareRuns(baseline, await openSide(context, run), { tolerance }));
      const unequal = comparisons.find((one) => one.unequal.length > 0);
      if (unequal && !options.unequal)
        throw new BerthError('RUNS_UNEQUAL', { run: unequal.other, differences: unequal.unequal });
      const nothing = comparisons.find((one) =>
        one.stages.every(({ differences }) => differences.length === 0),
      );
      if (nothing)
        throw new BerthError('RUNS_APART', {
          base: nothing.base,
          run: nothing.other,
          stages: nothing.missing,
        });
      const judged = comparisons.map((one) => ({ ...one, limits: changeGates(one, limits) }));
      context.output.result({ comparisons: judged }, () =>
        judged.map((one) => [text(one), ...one.limits.map(limitText)].join('\n')).join('\n\n'),
      );
      if (comparisons.some((one) => one.clientLimited)) return context.exit(exitCodes.clientLimited);
      if (judged.some((one) => isWorse(one, limits.length > 0))) context.exit(exitCodes.regression);
    });
}

async function compareWithHistory(run: string, more: readonly string[], context: CliContext): Promise<void> {
  if (more.length > 0)
    throw new BerthError('USAGE', { detail: '--history takes one run.', command: 'compare' });
  const history = await historyOf(context.world, await loadReport(context.world, run));
  context.output.result(history, () => historyText(history));
  if (history.clientLimited) context.exit(exitCodes.clientLimited);
  else if (history.figures.some(({ verdict }) => verdict === 'regression'))
    context.exit(exitCodes.regression);
}

/** Where limits are named, they alone decide. */
function isWorse(one: Comparison & { limits: readonly ChangeGate[] }, limited: boolean): boolean {
  if (limited) return one.limits.some(({ verdict }) => verdict === 'missed' || verdict === 'not measured');
  return one.stages.some((stage) => stage.differences.some(({ verdict }) => verdict === 'worse'));
}

const verdicts = {
  kept: 'Kept',
  missed: 'Missed',
  unsure: 'Not sure (the interval reaches over the limit)',
  'not measured': 'Missed (not measured)',
} as const;

function limitText({ stage, limit, change, verdict }: ChangeGate): string {
  const percent = change === null ? '' : ` (${change >= 1 ? '+' : ''}${((change - 1) * 100).toFixed(1)} %)`;
  return `${verdicts[verdict]}: ${limit} at ${stage}${percent}.`;
}

function limitOf(text: string): ChangeLimit {
  const limit = parseChangeLimit(text);
  if (limit) return limit;
  throw new BerthError('USAGE', {
    detail: `--limit is FIGURE <= +N% or FIGURE >= -N%, where FIGURE is ttft, ttfot, itl, tpot or e2e with .p50 .p95 .p99, or output_rate; not "${text}".`,
    command: 'compare',
  });
}

/** A run of berth by its name, or the file of another tool by its path. */
async function openSide({ world, cwd }: CliContext, name: string): Promise<Side> {
  const foreign = await readForeign(world, resolve(cwd, name));
  if (foreign) return foreignSide(foreign);
  const folder = await runFolder(world, name);
  return ownSide({ report: await loadReport(world, name), records: await readRecords(world.files, folder) });
}

function formatOf(format: string): (comparison: Comparison) => string {
  if (format === 'text') return comparisonText;
  if (format === 'markdown') return comparisonMarkdown;
  throw new BerthError('USAGE', {
    detail: `--format is text or markdown, not "${format}".`,
    command: 'compare',
  });
}

function toleranceOf(text: string): number {
  const percent = Number(text);
  if (text.trim() !== '' && percent >= 0 && percent < 100) return percent / 100;
  throw new BerthError('USAGE', {
    detail: `--tolerance is a percentage from 0 to 99, not "${text}".`,
    command: 'compare',
  });
}
