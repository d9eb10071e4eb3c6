import type { Command } from 'commander';
import { mergeRuns } from '../../bench/run/merge-runs.ts';
import type { CliContext } from '../context.ts';
import { reportText } from '../text/report-text.ts';

export const examples = [
  ['berth merge ./shard-1 ./shard-2 ./shard-3', 'One run of the folders that three clients left.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .argument('<runs...>', 'every shard of one run, by id, by name or by the path of its folder')
    .action(async (runs: string[]) => {
      const { folder, report } = await mergeRuns(context.world, runs);
      context.output.result({ folder, report }, () => reportText(report, folder));
    });
}
