import { readRecords } from '../../bench/report/record-file.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { publishRun } from '../../publish/publish-run.ts';
import type { Published } from '../../publish/publish-run.ts';
import type { CliContext } from '../context.ts';
import { loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import type { FinishedRun } from './run-benchmarks.ts';

/** Tells a run to publishers of the fleet file by name. Throws PUBLISHER_UNKNOWN before any of them is told. */
export async function publishTo(
  { world }: CliContext,
  loaded: LoadedFleet,
  { report, folder }: FinishedRun,
  names: readonly string[],
): Promise<Published[]> {
  const known = Object.keys(loaded.publishers);
  const places = names.map((name) => {
    const options = loaded.publishers[name];
    if (!options) throw new BerthError('PUBLISHER_UNKNOWN', { name, known });
    return { name, options };
  });
  return publishRun(world, { report, records: () => readRecords(world.files, folder) }, places);
}

/**
 * Tells each run to those that its benchmark names, but for one that was broken off. What fails is told with the run, which is
 * kept: it is no reason to measure again.
 */
export async function publishRuns<Run extends FinishedRun>(
  context: CliContext,
  runs: readonly Run[],
  options: FileOptions,
): Promise<(Run & { published?: Published[] })[]> {
  const told: (Run & { published?: Published[] })[] = [];
  for (const run of runs) {
    const names = run.report.interrupted ? [] : (run.report.spec.publish ?? []);
    told.push(
      names.length === 0 ? run : { ...run, published: await published(context, options, run, names) },
    );
  }
  return told;
}

async function published(
  context: CliContext,
  options: FileOptions,
  run: FinishedRun,
  names: readonly string[],
): Promise<Published[]> {
  try {
    return await publishTo(context, await loadFrom(context, options), run, names);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    const { code, message, cure } = error;
    return names.map((publisher) => ({ publisher, address: null, error: { code, message, cure } }));
  }
}

export function publishedText(published: readonly Published[] | undefined): string {
  const lines = (published ?? []).map(({ publisher, address, error }) =>
    error ? `Not told to ${publisher}: ${error.message}\n${error.cure}` : `Told to ${publisher}: ${address}`,
  );
  return lines.length === 0 ? '' : `\n${lines.join('\n')}`;
}
