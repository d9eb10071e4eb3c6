import type { Command } from 'commander';
import { prepareRollback } from '../../fleet/apply/rollback.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { planText } from '../text/plan-text.ts';

export const examples = [
  ['berth rollback', 'Undoes the last change of engines; once more brings it back.'],
  ['berth rollback mistral', 'Has this deployment as it was before its own last change.'],
  ['berth rollback --dry-run', 'What that would do, and why.'],
] as const;

interface RollbackOptions extends FileOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[names...]', 'deployments; without them those that the last change brought')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .option('--dry-run', 'show the plan and do nothing')
    .action(async (names: string[], options: RollbackOptions) => {
      const loaded = await loadFrom(context, options);
      const plan = await prepareRollback(context.world, loaded, names);
      if (options.dryRun) context.output.result(plan, () => planText(plan));
      else await carryOut(context, plan, { yes: options.yes, command: 'rollback' });
    });
}
