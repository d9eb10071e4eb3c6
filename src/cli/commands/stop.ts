import type { Command } from 'commander';
import { putToRest } from '../../fleet/plan/at-rest.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';

export const examples = [
  [
    'berth stop mistral',
    'Takes its requests away and stops it; it stands still until "berth start mistral".',
  ],
] as const;

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('<names...>', 'deployments')
    .action(async (names: string[], options: FileOptions) => {
      const { world } = context;
      const loaded = await loadWithoutSecrets(context, options, (_, file) =>
        putToRest(world, file, { names, rest: true }),
      );
      const plan = await preparePlan(world, loaded, { only: names });
      await carryOut(context, plan, { yes: true, command: 'stop' });
    });
}
