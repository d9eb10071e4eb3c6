import type { Command } from 'commander';
import { down } from '../../fleet/down.ts';
import type { CliContext } from '../context.ts';
import { reportDown } from '../down-report.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { trafficOfUp } from '../up-traffic.ts';

export const examples = [
  ['berth stop mistral', 'Takes its requests away and stops it. "berth start mistral" brings it back.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<names...>', 'deployments')
    .action(async (only: string[], options: FileOptions) => {
      const { world, output, signal } = context;
      const loaded = await loadWithoutSecrets(context, options);
      const traffic = await trafficOfUp(context, loaded);
      const result = await down(world, loaded, { onProgress: output.progress, signal, traffic, only });
      reportDown(context, loaded.fleet, { ...result, only });
    });
}
