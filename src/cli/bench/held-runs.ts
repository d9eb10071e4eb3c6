import { basename, dirname } from 'node:path';
import { unequalWork } from '../../bench/compare/equal-work.ts';
import { confirmed, judgeRun } from '../../bench/compare/judge-run.ts';
import type { Judgement } from '../../bench/compare/judge-run.ts';
import { openSide, whereOf } from '../../bench/compare/open-side.ts';
import { ownSide, plannedWork } from '../../bench/compare/side.ts';
import type { Side } from '../../bench/compare/side.ts';
import { readRecords } from '../../bench/report/record-file.ts';
import type { Against } from '../../domain/against.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { CliContext } from '../context.ts';
import { runSpecs } from './run-benchmarks.ts';
import type { FinishedRun } from './run-benchmarks.ts';

/** A run with how it stands to the one that it is held against, if to any. */
export interface HeldRun extends FinishedRun {
  readonly against?: Held;
}

export interface Held extends Judgement {
  /** Of a run that was worse and measured once more. */
  readonly repeat?: Judgement & FinishedRun;
  /** What is worse for sure: in both, where it was measured twice. */
  readonly regressions: readonly string[];
}

/** What a run is to be held against, opened before anything is measured. */
export interface Holding {
  readonly spec: RunSpec;
  readonly side: Side | null;
}

/**
 * Opens the baseline of a run; names like "last" mean what they mean now. Throws RUN_UNKNOWN, and RUNS_UNEQUAL where it
 * is plain beforehand that the run will do other work.
 */
export async function openHolding(context: CliContext, spec: RunSpec): Promise<Holding> {
  const { against } = spec;
  if (against === undefined) return { spec, side: null };
  const { world, cwd } = context;
  const where = await whereOf(world, against.baseline, cwd);
  const side = await openSide(world, where, cwd);
  const unequal = unequalWork(side, { work: plannedWork(spec), definitions: {} });
  if (unequal.length > 0) throw new BerthError('RUNS_UNEQUAL', { run: spec.name, differences: unequal });
  const baseline = dirname(where) === world.places.runs ? basename(where) : where;
  return { spec: { ...spec, against: { ...against, baseline } }, side };
}

/** One run after the other, each held against its baseline; `tell` hears the progress of all. */
export async function runHeld(
  context: CliContext,
  specs: readonly RunSpec[],
  tell: (progress: RunProgress) => void = () => {},
): Promise<HeldRun[]> {
  const holdings: Holding[] = [];
  for (const spec of specs) holdings.push(await openHolding(context, spec));
  const runs: HeldRun[] = [];
  for (const holding of holdings) {
    const [run] = await runSpecs(context, [holding.spec], tell);
    if (!run) break;
    runs.push(await held(context, run, holding, tell));
  }
  return runs;
}

/** A run that is worse is measured once more where that was asked for. */
export async function held(
  context: CliContext,
  run: FinishedRun,
  { spec, side }: Holding,
  tell: (progress: RunProgress) => void = () => {},
): Promise<HeldRun> {
  const { against } = spec;
  if (against === undefined || side === null || run.report.interrupted) return run;
  const first = await judged(context, run, { side, against });
  const suspect = first.verdict === 'worse' && run.report.stages.every(({ stopped }) => stopped === null);
  if (!suspect || !against.confirm)
    return { ...run, against: { ...first, regressions: first.verdict === 'worse' ? first.worse : [] } };
  context.output.progress(
    `Worse than ${first.comparison.base} (${first.worse.join('; ')}): measuring once more`,
  );
  const [again] = await runSpecs(context, [spec], tell);
  if (!again || again.report.interrupted) return { ...run, against: { ...first, regressions: [] } };
  const second = await judged(context, again, { side, against });
  const regressions = second.verdict === 'worse' ? confirmed(first, second) : [];
  return { ...run, against: { ...first, repeat: { ...second, ...again }, regressions } };
}

async function judged(
  { world }: CliContext,
  { report, folder }: FinishedRun,
  { side, against }: { side: Side; against: Against },
): Promise<Judgement> {
  const records = await readRecords(world.files, folder);
  return judgeRun(side, ownSide({ report, records }), against);
}

/** A baseline of other work is no baseline: the gate that it was to be has not been passed. */
export function endOfHeld(runs: readonly HeldRun[], context: CliContext): void {
  const verdicts = runs.flatMap(({ against }) => (against ? [against.verdict, against.repeat?.verdict] : []));
  if (runs.some(({ against }) => (against?.regressions.length ?? 0) > 0)) context.exit(exitCodes.regression);
  else if (verdicts.includes('client-limited')) context.exit(exitCodes.clientLimited);
  else if (verdicts.includes('unequal') || verdicts.includes('nothing in common'))
    context.exit(exitCodes.usage);
}
