import type { Command } from 'commander';
import { putToRest } from '../../fleet/plan/at-rest.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  ['berth start mistral', 'Starts what was stopped, and touches no other deployment.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<names...>', 'deployments')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .action(async (names: string[], options: FileOptions & { readonly yes?: boolean }) => {
      const { world } = context;
      await putToRest(world, await loadFrom(context, options), { names, rest: false });
      const plan = await preparePlan(world, await loadFrom(context, options), { only: names });
      await carryOut(context, plan, { yes: options.yes, command: 'start' });
    });
}
