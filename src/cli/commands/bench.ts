import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { loadReport } from '../../bench/run/runs.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { Report } from '../../domain/run/report.ts';
import { stops } from '../../domain/run/stop-reason.ts';
import type { StopReason } from '../../domain/run/stop-reason.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { addBenchOptions, overlaid, specOfUrl } from '../bench/bench-options.ts';
import type { BenchOptions } from '../bench/bench-options.ts';
import { addShardOptions, sharded } from '../bench/bench-shard.ts';
import type { ShardOptions } from '../bench/bench-shard.ts';
import { refuseOtherLoad, specOfRun } from '../bench/bench-again.ts';
import { benchInCluster, endOfCluster } from '../bench/bench-in-cluster.ts';
import type { ClusterRun } from '../bench/bench-in-cluster.ts';
import { sameValue } from '../../fleet/plan/differences.ts';
import { runsInCluster } from '../rendered-benchmarks.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import { reportText } from '../text/report-text.ts';
import { endOfHeld, held, openHolding, runHeld } from '../bench/held-runs.ts';
import type { HeldRun } from '../bench/held-runs.ts';
import { heldText } from '../text/held-text.ts';
import { publishedText, publishRuns } from '../bench/publish-runs.ts';
import type { Published } from '../../publish/publish-run.ts';
import { resumeRun, specsOfFleet } from '../bench/run-benchmarks.ts';

export const examples = [
  ['berth bench', 'Every benchmark of the fleet file, one after the other.'],
  [
    'berth bench http://127.0.0.1:8080 --max-seconds 60 --streams 1,2,4 --prompt-tokens 256 --output-tokens 128',
    'Any OpenAI-compatible server, without a fleet file.',
  ],
  [
    'berth bench nightly --baseline @main --limit "ttft.p95 <= +10%" --confirm',
    'A gate: worse than the run named main, and again when measured once more, is exit code 4.',
  ],
  ['berth bench --again last', 'What the newest run measured, measured again as it was.'],
  ['berth bench --resume last', 'The newest run, gone on with at the stage at which it was broken off.'],
  ['berth bench selftest', "This machine's own measuring error, against a server with a known schedule."],
] as const;

export function configure(command: Command, context: CliContext): void {
  addShardOptions(addBenchOptions(addFileOption(command)))
    .argument('[names...]', 'benchmarks of the fleet file (default: all of them), or one URL')
    .action(async (words: string[], options: BenchOptions & ShardOptions) => {
      refuseOtherLoad(command);
      const names = options.target === undefined ? words : [options.target, ...words];
      const elsewhere = await clusterRuns(names, options, context);
      if (elsewhere) return endOfCluster(context, elsewhere);
      const runs = await runsOf(names, options, context);
      end(await publishRuns(context, runs, options), context);
    });
  command
    .command('selftest')
    .description("Measure berth's own measuring error, and that every kind of fault is told from the others.")
    .action(async () => {
      const { selftest } = await import('../../bench/selftest/selftest.ts');
      const { selftestText } = await import('../text/selftest-text.ts');
      const result = await selftest(context.world);
      context.output.result(result, () => selftestText(result));
      if (!result.passed) context.exit(exitCodes.fault);
    });
}

/** Of benchmarks that run in a cluster and are named by themselves; null: none of these is one, or they are mixed. */
async function clusterRuns(
  names: readonly string[],
  options: BenchOptions & ShardOptions,
  context: CliContext,
): Promise<ClusterRun[] | null> {
  const again = options.resume !== undefined || options.again !== undefined || options.shard !== undefined;
  if (names.length === 0 || again || names.some(isUrl)) return null;
  const loaded = await loadFrom(context, options);
  const asWritten = names.every((name) => {
    const entry = loaded.benchmarks[name];
    return entry && sameValue(overlaid(entry, options, context.cwd), entry);
  });
  if (!asWritten || !names.every((name) => runsInCluster(loaded, name))) return null;
  const runs: ClusterRun[] = [];
  for (const name of names) runs.push(await benchInCluster(context, loaded, name, options));
  return runs;
}

async function runsOf(
  names: readonly string[],
  options: BenchOptions & ShardOptions,
  context: CliContext,
): Promise<HeldRun[]> {
  if (options.resume !== undefined) {
    const { spec } = await loadReport(context.world, resumable(names, options.resume));
    const holding = await openHolding(context, spec);
    return [await held(context, await resumeRun(context, options.resume), holding)];
  }
  return runHeld(context, sharded(await specsOf(names, options, context), options));
}

/** What is left of a run is as it was asked for then. */
function resumable(names: readonly string[], run: string): string {
  if (names.length === 0) return run;
  throw new BerthError('USAGE', {
    detail: '--resume goes on with a run as it was begun: leave out the URL and the names of benchmarks.',
    command: 'bench',
  });
}

async function specsOf(
  names: readonly string[],
  options: BenchOptions,
  context: CliContext,
): Promise<RunSpec[]> {
  if (options.again !== undefined) return [await specOfRun(context, options.again, names, options)];
  if (isUrl(names[0])) return [urlSpec(names, options, context)];
  const loaded = await loadFrom(context, options);
  return specsOfFleet(context, loaded, names, (entry) => overlaid(entry, options, context.cwd));
}

function isUrl(word: string | undefined): boolean {
  return word !== undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(word);
}

function urlSpec(names: readonly string[], options: BenchOptions, context: CliContext): RunSpec {
  const [url] = names;
  if (url === undefined || names.length > 1 || !URL.canParse(url))
    throw new BerthError('USAGE', {
      detail: 'Name one URL, such as http://127.0.0.1:8080.',
      command: 'bench',
    });
  const { protocol, username, password } = new URL(url);
  if (!['http:', 'https:'].includes(protocol))
    throw new BerthError('USAGE', {
      detail: `A server is measured over http or https, not over ${protocol.slice(0, -1)}.`,
      command: 'bench',
    });
  // Reports and process lists show a URL; a key has no place in it.
  if (username !== '' || password !== '')
    throw new BerthError('USAGE', {
      detail: 'A URL with a name or password in it would show up in reports; name a variable with --key-env.',
      command: 'bench',
    });
  return specOfUrl(url, options, context.cwd);
}

function end(runs: readonly (HeldRun & { published?: Published[] })[], context: CliContext): void {
  context.output.result({ runs }, () =>
    runs
      .map((run) => reportText(run.report, run.folder) + heldText(run) + publishedText(run.published))
      .join('\n\n'),
  );
  const all = runs.flatMap((run) => [run, ...(run.against?.repeat ? [run.against.repeat] : [])]);
  const stopped = all.flatMap(({ report }) => endsOf(report));
  const untold = runs.some(({ published }) => published?.some(({ error }) => error !== null));
  if (untold) context.exit(exitCodes.fault);
  const exits = stopped.map((reason) => stops[reason].exit);
  if (context.signal.aborted) context.exit(exitCodes.interrupted);
  else if (exits.includes('targetDown')) context.exit(exitCodes.targetDown);
  // Failures are counted, not timed: a client that was too busy does not make them.
  else if (stopped.some((reason) => reason === 'errors' || reason === 'error-rate'))
    context.exit(exitCodes.sloMissed);
  else if (all.some(({ report }) => report.clientLimited))
    context.exit(untold ? exitCodes.fault : exitCodes.clientLimited);
  else if (
    exits.includes('sloMissed') ||
    all.some(({ report }) => report.gates.some(({ passed }) => !passed))
  )
    context.exit(exitCodes.sloMissed);
  else endOfHeld(runs, context);
}

/** Why the run ended early. What a sweep tried and found too much is its finding and not its end. */
function endsOf({ stages, knee }: Report): StopReason[] {
  const ends = stages.flatMap(({ stopped }) => stopped ?? []);
  return knee ? ends.filter((reason) => reason !== 'over-saturated') : ends;
}
