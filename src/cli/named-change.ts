import type { Command } from 'commander';
import type { Plan } from '../domain/plan.ts';
import { preparePlan } from '../fleet/plan/prepare-plan.ts';
import { carryOut } from './carry-out.ts';
import type { CliContext } from './context.ts';
import { addFileOption, loadFrom } from './fleet-file.ts';
import type { FileOptions } from './fleet-file.ts';
import type { changeRest } from './rest-change.ts';

/** A command that plans some deployments and carries that out, asking before engines are stopped or replaced. */
export function configureNamedChange(
  command: Command,
  context: CliContext,
  change: {
    readonly name: 'start' | 'restart';
    /** What stands still from now on; absent: what did so before. */
    readonly rest?: (names: readonly string[]) => ReturnType<typeof changeRest>;
  },
): void {
  addFileOption(command)
    .argument('<names...>', 'deployments')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .action(async (names: string[], options: FileOptions & { readonly yes?: boolean }) => {
      const rest = change.rest?.(names);
      async function make(): Promise<Plan> {
        const loaded = await loadFrom(context, options, rest ? { rest: rest.resting } : {});
        return preparePlan(context.world, loaded, {
          only: names,
          onWait: context.output.progress,
          ...(change.name === 'restart' && { restart: names }),
        });
      }
      await carryOut(context, await make(), {
        yes: options.yes,
        command: change.name,
        again: make,
        rested: rest?.made,
      });
    });
}
