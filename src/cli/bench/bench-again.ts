import type { Command } from 'commander';
import { loadReport } from '../../bench/run/runs.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { against } from './bench-against.ts';
import type { AgainstOptions } from './bench-against.ts';
import type { CliContext } from '../context.ts';

/** What may be said beside each: how it is told, what it is held against, and what is no other measurement. */
const always = ['file', 'json', 'stateDir', 'verbose'];
const againstOthers = ['baseline', 'limit', 'tolerance', 'confirm'];
const beside: Readonly<Record<'resume' | 'again', readonly string[]>> = {
  resume: always,
  again: [...always, ...againstOthers, 'name', 'calibrate', 'shard', 'startAt'],
};

/** Throws USAGE for an option beside `--again` or `--resume` that would make it another measurement. */
export function refuseOtherLoad(command: Command): void {
  for (const [name, known] of Object.entries(beside)) {
    if (command.getOptionValue(name) === undefined) continue;
    const other = command.options.find((option) => {
      const key = option.attributeName();
      return key !== name && command.getOptionValueSource(key) === 'cli' && !known.includes(key);
    });
    if (other)
      throw new BerthError('USAGE', {
        detail: `--${name} measures what the run was begun with: leave out ${other.long ?? other.flags}.`,
        command: 'bench',
      });
  }
}

/** The specification of a run that was measured before, to be measured again as it was. Throws RUN_UNKNOWN. */
export async function specOfRun(
  context: CliContext,
  run: string,
  names: readonly string[],
  options: AgainstOptions & { readonly name?: string; readonly calibrate: boolean },
): Promise<RunSpec> {
  if (names.length > 0)
    throw new BerthError('USAGE', {
      detail: '--again measures what a run measured: leave out the URL and the names of benchmarks.',
      command: 'bench',
    });
  const spec = { ...(await loadReport(context.world, run)).spec };
  if (options.name !== undefined) spec.name = options.name;
  if (!options.calibrate) spec.calibrate = false;
  against(spec, options);
  return spec;
}
