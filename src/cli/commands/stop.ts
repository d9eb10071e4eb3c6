import type { Command } from 'commander';
import type { Plan } from '../../domain/plan.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import { loadDespiteFaults } from '../despite-faults.ts';
import type { FileOptions } from '../fleet-file.ts';
import { changeRest } from '../rest-change.ts';

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
      const rest = changeRest(names, true);
      async function make(): Promise<Plan> {
        const loaded = await loadDespiteFaults(context, options, rest.resting);
        return preparePlan(world, loaded, { only: names, onWait: context.output.progress });
      }
      await carryOut(context, await make(), {
        yes: true,
        command: 'stop',
        again: make,
        rested: rest.made,
      });
    });
}
