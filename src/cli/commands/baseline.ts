import { basename } from 'node:path';
import type { Command } from 'commander';
import { readBaselines, setBaseline } from '../../bench/report/baselines.ts';
import { loadReport, runFolder } from '../../bench/run/runs.ts';
import type { CliContext } from '../context.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth baseline main last', 'The newest run is what "@main" means from now on.'],
  ['berth compare @main last', 'A run beside it.'],
  ['berth baseline', 'Every name and its run.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .argument('[name]', 'what to call it')
    .argument('[run]', 'the run, as "berth report" takes it')
    .option('--remove', 'take the name away; the run stays')
    .action(async (name: string | undefined, run: string | undefined, options: { remove?: boolean }) => {
      const { world, output } = context;
      const baselines = await changed(name, run, options);
      output.result(baselines, () =>
        Object.keys(baselines).length === 0
          ? 'No run has a name. "berth baseline NAME RUN" gives one.'
          : table([['NAME', 'RUN'], ...Object.entries(baselines).map(([each, id]) => [`@${each}`, id])]),
      );

      async function changed(
        to: string | undefined,
        of: string | undefined,
        { remove = false }: { remove?: boolean },
      ): Promise<Record<string, string>> {
        if (to === undefined || (of === undefined && !remove)) return readBaselines(world);
        if (remove || of === undefined) return setBaseline(world, to, null);
        await loadReport(world, of);
        return setBaseline(world, to, basename(await runFolder(world, of)));
      }
    });
}
