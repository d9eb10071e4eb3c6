import type { Command } from 'commander';
import { changeGates } from '../../bench/compare/change-limit.ts';
import { compareAll } from '../../bench/compare/compare-runs.ts';
import type { Comparison } from '../../bench/compare/compare-runs.ts';
import { worseOf } from '../../bench/compare/judge-run.ts';
import { openSide } from '../../bench/compare/open-side.ts';
import type { Side } from '../../bench/compare/side.ts';
import { historyOf } from '../../bench/run/run-history.ts';
import { loadReport } from '../../bench/run/runs.ts';
import { changeLimitForm, parseChangeLimit } from '../../domain/change-limit.ts';
import type { ChangeLimit } from '../../domain/change-limit.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { comparisonMarkdown } from '../text/comparison-markdown.ts';
import { comparisonText, limitText } from '../text/comparison-text.ts';
import type { CliContext } from '../context.ts';
import { historyText } from '../text/history-text.ts';

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
      const { world, cwd } = context;
      const baseline = await openSide(world, base, cwd);
      const others: Side[] = [];
      for (const run of runs) others.push(await openSide(world, run, cwd));
      const comparisons = compareAll(baseline, others, { tolerance });
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
      if (judged.some((one) => worseOf(one, one.limits).length > 0)) context.exit(exitCodes.regression);
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

function limitOf(text: string): ChangeLimit {
  const limit = parseChangeLimit(text);
  if (limit) return limit;
  throw new BerthError('USAGE', {
    detail: `--limit is ${changeLimitForm}; not "${text}".`,
    command: 'compare',
  });
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
