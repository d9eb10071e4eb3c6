import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import type { Plan } from '../../domain/plan.ts';
import { planId } from '../../fleet/apply/journal.ts';
import { unstartable } from '../../fleet/plan/missing-programs.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { measurementsOf } from '../bench/measurements.ts';
import { planText } from '../text/plan-text.ts';

export const examples = [
  ['berth plan', 'What apply would do, and why.'],
  ['berth plan --exit-code', 'The same, and exit code 9 where there is something to do.'],
  ['berth plan --only mistral', 'What apply would do with this deployment alone.'],
  ['berth plan --out plan.json', 'Keeps the plan; "berth apply plan.json" does just that, or nothing.'],
] as const;

interface PlanOptions extends FileOptions {
  readonly out?: string;
  readonly refresh?: boolean;
  readonly restart?: readonly string[];
  readonly only?: readonly string[];
  readonly exitCode?: boolean;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--out <file>', 'keep the plan in a file, for "berth apply FILE"')
    .option('--only <names...>', 'plan for these deployments alone')
    .option('--restart <names...>', 'restart these deployments too')
    .option('--refresh', 'also restart what only berth itself would start otherwise by now')
    .option('--exit-code', 'tell by the exit code whether there is something to do')
    .action(async (options: PlanOptions) => {
      const { world, output, cwd } = context;
      const loaded = await loadFrom(context, options);
      const plan = await preparePlan(world, loaded, {
        ...options,
        measured: measurementsOf(world),
        onWait: output.progress,
      });
      if (options.out) {
        await world.files.write(resolve(cwd, options.out), `${JSON.stringify(plan, null, 2)}\n`, 0o600);
        output.progress(`Plan ${planId(plan)} is kept in ${options.out}`);
      }
      output.result(plan, () => planText(plan));
      if (unstartable(plan).length > 0) context.exit(exitCodes.fault);
      else if (options.exitCode) context.exit(codeOf(plan));
    });
}

/** A plan that could not see everything does not say that there is nothing to do. */
function codeOf({ actions, gateways = [], reload, findings }: Plan): ExitCode {
  const all = [...actions, ...gateways, ...(reload ? [reload] : [])];
  if (all.some((action) => action.do !== 'keep')) return exitCodes.changes;
  return findings.some((one) => one.severity === 'critical') ? exitCodes.findings : exitCodes.done;
}
