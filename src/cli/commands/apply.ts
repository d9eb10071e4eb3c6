import { resolve } from 'node:path';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { Plan } from '../../domain/plan.ts';
import { apply } from '../../fleet/apply.ts';
import type { ApplyResult } from '../../fleet/apply.ts';
import type { WentBack } from '../../fleet/go-back.ts';
import { expectNoneHeld } from '../../fleet/protect.ts';
import { preparePlan } from '../../fleet/prepare-plan.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { measurementsOf } from '../measurements.ts';
import { trafficOfUp } from '../up-traffic.ts';
import { nameOf, planText } from '../plan-text.ts';

export const examples = [
  ['berth apply', 'Starts, replaces and stops engines until they are as the file says, and exits.'],
  ['berth apply --yes', 'The same without asking, from a terminal.'],
  ['berth apply --only mistral', 'Changes this deployment alone, and says what it leaves out.'],
  ['berth apply plan.json', 'Does what that plan says, unless it has gone stale.'],
] as const;

interface ApplyCommandOptions extends FileOptions {
  readonly refresh?: boolean;
  readonly yes?: boolean;
  readonly restart?: readonly string[];
  readonly only?: readonly string[];
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[plan]', 'a plan that "berth plan --out" kept')
    .option('--only <names...>', 'change these deployments alone')
    .option('--restart <names...>', 'restart these deployments too')
    .option('--yes', 'do not ask on a terminal before engines are stopped or replaced')
    .option('--refresh', 'also restart what only berth itself would start otherwise by now')
    .action(async (planFile: string | undefined, options: ApplyCommandOptions) => {
      const { world, output, signal } = context;
      const plan = planFile ? await keptPlan(context, planFile, options) : await makePlan(context, options);
      output.progress(planText(plan));
      expectNoneHeld(plan);
      if (!options.yes && !(await mayInterrupt(context, plan))) {
        output.progress('Nothing was done.');
        context.exit(exitCodes.interrupted);
        return;
      }
      const traffic = await trafficOfUp(context, plan);
      const result = await apply(world, plan, {
        signal,
        onProgress: output.progress,
        traffic,
        command: 'apply',
      });
      report(context, plan, result);
    });
}

/** Asked only where somebody sits who can answer: a script goes on as it always did. */
async function mayInterrupt({ ask }: CliContext, plan: Plan): Promise<boolean> {
  const hit = plan.actions.filter((action) => action.do === 'stop' || action.do === 'replace');
  if (hit.length === 0 || !ask) return true;
  const what = hit.map((action) => `${action.do} ${nameOf(action)}`).join(', ');
  return /^y(es)?$/i.test((await ask(`This will ${what}. Go on? [y/N] `)).trim());
}

async function makePlan(context: CliContext, options: ApplyCommandOptions): Promise<Plan> {
  const loaded = await loadFrom(context, options);
  return preparePlan(context.world, loaded, { ...options, measured: measurementsOf(context.world) });
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

/** An engine that was replaced by one that never answered: as it was again, or what keeps it from that. */
function backText(went: WentBack): string {
  const { running, failure } = went;
  const where = `${running.target.kind} on ${running.address}:${running.port}`;
  if (!failure) return `Went back: ${nameOf(went)} runs as it did before (${where}).`;
  return [
    `berth: ${nameOf(went)} could not go back and does not run; it was ${running.object.name} (${where}): ${failure.message}`,
    failure.cure,
  ].join('\n');
}

/** What was done, and with a failure what was not. */
function report(context: CliContext, plan: Plan, result: ApplyResult): void {
  const { output } = context;
  const { failure } = result;
  const changed = result.done.filter((action) => action.do !== 'keep');
  const back = result.back.map((one) => ({ ...one, failure: one.failure?.toJSON() ?? null }));
  const { done: did, notDone } = result;
  const value = { plan, done: did, notDone, back, failure: failure?.toJSON() ?? null };
  output.result(value, () => {
    const done = changed.map((action) => `${action.do} ${nameOf(action)}`);
    if (!failure) return done.length === 0 ? 'Nothing had to be done.' : `Done: ${done.join(', ')}.`;
    const left = result.notDone.map((action) => `${action.do} ${nameOf(action)}`);
    return [
      `Done: ${done.length === 0 ? 'nothing' : done.join(', ')}. Not done: ${left.length === 0 ? 'nothing' : left.join(', ')}.`,
      `berth: ${failure.message}`,
      failure.cure,
      ...result.back.map(backText),
    ].join('\n');
  });
  if (failure) context.exit(failure.exitCode);
}
