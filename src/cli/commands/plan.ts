import { resolve } from 'node:path';
import type { Command } from 'commander';
import { preparePlan } from '../../fleet/prepare-plan.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { measurementsOf } from '../measurements.ts';
import { planText } from '../plan-text.ts';

export const examples = [
  ['berth plan', 'What apply would do, and why.'],
  ['berth plan --out plan.json', 'Keeps the plan; "berth apply plan.json" does just that, or nothing.'],
] as const;

interface PlanOptions extends FileOptions {
  readonly out?: string;
  readonly refresh?: boolean;
  readonly restart?: readonly string[];
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--out <file>', 'keep the plan in a file, for "berth apply FILE"')
    .option('--restart <names...>', 'restart these deployments too')
    .option('--refresh', 'also restart what only berth itself would start otherwise by now')
    .action(async (options: PlanOptions) => {
      const { world, output, cwd } = context;
      const loaded = await loadFrom(context, options);
      const plan = await preparePlan(world, loaded, { ...options, measured: measurementsOf(world) });
      if (options.out)
        await world.files.write(resolve(cwd, options.out), `${JSON.stringify(plan, null, 2)}\n`, 0o600);
      output.result(plan, () => planText(plan));
    });
}
