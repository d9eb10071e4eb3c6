import type { Command } from 'commander';
import { down } from '../../fleet/apply/down.ts';
import { noTraffic } from '../../fleet/apply/traffic.ts';
import type { CliContext } from '../context.ts';
import { reportDown } from '../text/down-report.ts';
import { addFileOption } from '../fleet-file.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import type { FileOptions } from '../fleet-file.ts';
import { trafficOfUp } from '../up-traffic.ts';

export const examples = [
  ['berth down', "Stops this fleet's engines, gateway and console. Nothing else is touched."],
  ['berth down --only mistral', 'Stops this deployment alone, its requests first; gateway and console stay.'],
] as const;

interface DownCommandOptions extends FileOptions {
  readonly only?: readonly string[];
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--only <names...>', 'stop these deployments alone, and leave gateway and console')
    .action(async ({ only, ...options }: DownCommandOptions) => {
      const loaded = await loadDespiteFaults(context, options);
      const result = await down(context.world, loaded, {
        onProgress: context.output.progress,
        signal: context.signal,
        // Without names the gateway has ended by then.
        traffic: only ? await trafficOfUp(context, loaded, loaded.files) : noTraffic,
        ...(only ? { only } : {}),
      });
      reportDown(context, loaded.fleet, { ...result, only: only ?? null });
    });
}
