import { makeSpec } from '../../bench/run/make-spec.ts';
import type { Wanted } from '../../bench/run/make-spec.ts';
import { resumeBenchmark } from '../../bench/run/resume-benchmark.ts';
import { runBenchmark } from '../../bench/run/run-benchmark.ts';
import type { BenchmarkOptions } from '../../bench/run/run-benchmark.ts';
import { runFolder } from '../../bench/run/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { Report } from '../../domain/run/report.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { priceOf } from '../../fleet/file/price.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { showProgress } from './bench-progress.ts';
import { gatewayDoor, statusWithKeys, targetsOf } from './bench-targets.ts';
import type { CliContext } from '../context.ts';

export interface FinishedRun {
  readonly folder: string;
  readonly report: Report;
}

/**
 * Runs of a fleet's benchmarks by name (none named: all), one for each deployment that they name; `change` lays what
 * the command line says over an entry. Throws BENCH_UNKNOWN and BENCH_TARGET_DOWN before anything is measured.
 */
export async function specsOfFleet(
  context: CliContext,
  loaded: LoadedFleet,
  names: readonly string[],
  change: (entry: Wanted) => Wanted = (entry) => entry,
): Promise<RunSpec[]> {
  const known = Object.keys(loaded.benchmarks);
  const wanted = names.length > 0 ? names : known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined || wanted.length === 0)
    throw new BerthError('BENCH_UNKNOWN', { name: unknown ?? '(any)', known });
  const { world } = context;
  const seen = await statusWithKeys(world, loaded);
  const found = { ...seen, loaded, door: await gatewayDoor(world, loaded, seen.status) };
  return wanted.flatMap((name) => {
    const stated = loaded.benchmarks[name] as (typeof loaded.benchmarks)[string];
    const {
      of,
      via,
      api,
      price,
      runsOn,
      image: _image,
      results: _results,
      schedule: _schedule,
      ...entry
    } = stated;
    if (runsOn !== undefined && loaded.hosts[runsOn]?.kubernetes)
      throw new BerthError('BENCH_ELSEWHERE', { name, host: runsOn });
    const targets = targetsOf({ of, via, api, ...entry }, found);
    return targets.map((target) => {
      const runName = targets.length > 1 ? `${name}-${target.deployment}` : name;
      const cost = priceOf(loaded, price, { name: target.deployment ?? '', today: world.clock.wall() });
      return makeSpec(runName, change({ ...entry, ...(cost && { priced: cost }) }), target);
    });
  });
}

/**
 * One after the other, with progress on stderr; ends early when the command is interrupted. `tell` hears the same;
 * whoever heard that a run started hears that it ended, also when it failed.
 */
export async function runSpecs(
  context: CliContext,
  specs: readonly RunSpec[],
  tell: (progress: RunProgress) => void = () => {},
): Promise<FinishedRun[]> {
  const runs: FinishedRun[] = [];
  for (const spec of specs) {
    if (context.signal.aborted) break;
    runs.push(await shown(context, (options) => runBenchmark(context.world, spec, options), tell));
  }
  return runs;
}

/** Goes on with a run that did not reach its end, with progress on stderr. */
export async function resumeRun(context: CliContext, run: string): Promise<FinishedRun> {
  const folder = await runFolder(context.world, run);
  return shown(context, (options) => resumeBenchmark(context.world, folder, options));
}

async function shown(
  { signal, output }: CliContext,
  work: (options: BenchmarkOptions) => Promise<FinishedRun>,
  tell: (progress: RunProgress) => void = () => {},
): Promise<FinishedRun> {
  const show = showProgress(output);
  let open: string | null = null;
  function onProgress(progress: RunProgress): void {
    if (progress.type === 'run-started') open = progress.id;
    if (progress.type === 'run-ended') open = null;
    show(progress);
    tell(progress);
  }
  try {
    return await work({ onProgress, signal });
  } finally {
    if (open !== null) tell({ type: 'run-ended', id: open, interrupted: true });
  }
}
