import { loadReport } from '../../bench/run/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { against } from './bench-against.ts';
import type { AgainstOptions } from './bench-against.ts';
import type { CliContext } from '../context.ts';

/** The specification of a run that was measured before, to be measured again as it was. Throws RUN_UNKNOWN. */
export async function specOfRun(
  context: CliContext,
  run: string,
  names: readonly string[],
  options: AgainstOptions & { readonly name?: string },
): Promise<RunSpec> {
  if (names.length > 0)
    throw new BerthError('USAGE', {
      detail: '--again measures what a run measured: leave out the URL and the names of benchmarks.',
      command: 'bench',
    });
  const spec = { ...(await loadReport(context.world, run)).spec };
  if (options.name !== undefined) spec.name = options.name;
  against(spec, options);
  return spec;
}
