import { loadReport } from '../bench/runs.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { RunSpec } from '../domain/run/spec.ts';
import type { CliContext } from './context.ts';

/** The specification of a run that was measured before, to be measured again as it was. Throws RUN_UNKNOWN. */
export async function specOfRun(
  context: CliContext,
  run: string,
  beside: { names: readonly string[]; name: string | undefined },
): Promise<RunSpec> {
  if (beside.names.length > 0)
    throw new BerthError('USAGE', {
      detail: '--again measures what a run measured: leave out the URL and the names of benchmarks.',
      command: 'bench',
    });
  const { spec } = await loadReport(context.world, run);
  return beside.name === undefined ? spec : { ...spec, name: beside.name };
}
