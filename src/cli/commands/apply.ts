import { resolve } from 'node:path';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { Plan } from '../../domain/plan.ts';
import { easing } from '../../fleet/relocate/ease.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import { carryOut } from '../carry-out.ts';
import type { CliContext } from '../context.ts';
import { addStepTime, shiftOf } from '../shift-options.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { measurementsOf } from '../bench/measurements.ts';

export const examples = [
  ['berth apply', 'Starts, replaces and stops engines until they are as the file says, and exits.'],
  ['berth apply --yes', 'The same without asking, from a terminal.'],
  ['berth apply --only mistral', 'Changes this deployment alone, and says what it leaves out.'],
  [
    'berth apply --in-steps',
    'Compares a new engine with the old one while it gets more and more of the requests.',
  ],
  ['berth apply plan.json', 'Does what that plan says, unless it has gone stale.'],
] as const;

interface ApplyCommandOptions extends FileOptions {
  readonly refresh?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly restart?: readonly string[];
  readonly only?: readonly string[];
  readonly inSteps?: boolean;
  readonly stepTime?: number;
}

export function configure(command: Command, context: CliContext): void {
  addStepTime(addFileOption(command))
    .option(
      '--in-steps',
      'shift requests in steps to engines that start beside the old ones; back where they are worse',
    )
    .argument('[plan]', 'a plan that "berth plan --out" kept')
    .option('--only <names...>', 'change these deployments alone')
    .option('--restart <names...>', 'restart these deployments too')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .option('--force', 'start what does not fit by what is computed of it')
    .option('--refresh', 'also restart what only berth itself would start otherwise by now')
    .action(async (planFile: string | undefined, options: ApplyCommandOptions) => {
      const plan = planFile ? await keptPlan(context, planFile, options) : await makePlan(context, options);
      const { ease, steps } = easing({ ...shiftOf(context, options), world: context.world });
      await carryOut(context, plan, {
        yes: options.yes,
        force: options.force,
        command: 'apply',
        ...(planFile ? {} : { again: () => makePlan(context, options) }),
        ...(options.inSteps ? { ease, also: { shift: steps } } : {}),
      });
    });
}

async function makePlan(context: CliContext, options: ApplyCommandOptions): Promise<Plan> {
  const loaded = await loadFrom(context, options);
  const { world, output } = context;
  const told = { measured: measurementsOf(world), onWait: output.progress };
  return preparePlan(world, loaded, { ...options, ...told });
}

/** What would make another plan of it is refused. */
function keptPlan(
  context: CliContext,
  file: string,
  { only, restart, refresh }: ApplyCommandOptions,
): Promise<Plan> {
  const given = { '--only': only, '--restart': restart, '--refresh': refresh };
  const options = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (options.length > 0) throw new BerthError('PLAN_FIXED', { options });
  return readPlan(context, file);
}

async function readPlan({ world, cwd }: CliContext, file: string): Promise<Plan> {
  const path = resolve(cwd, file);
  const text = await world.files.read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'plan' }, { exit: 'usage' });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BerthError('PLAN_UNREADABLE', { path, reason: 'it is not JSON' });
  }
  const parsed = Plan.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BerthError('PLAN_UNREADABLE', {
    path,
    reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  });
}
