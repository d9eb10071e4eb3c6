import type { Command } from 'commander';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth restart mistral', 'Ends it and starts it anew, beside the old one where there is room for both.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<names...>', 'deployments')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .action(async (names: string[], options: FileOptions & { readonly yes?: boolean }) => {
      const loaded = await loadFrom(context, options);
      const plan = await preparePlan(context.world, loaded, { only: names, restart: names });
      await carryOut(context, plan, { yes: options.yes, command: 'restart' });
    });
}
