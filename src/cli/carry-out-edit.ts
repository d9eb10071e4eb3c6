import { BerthError } from '../domain/errors/berth-error.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import type { Plan } from '../domain/plan.ts';
import type { ApplyResult } from '../fleet/apply/apply.ts';
import type { Ease } from '../fleet/apply/handover.ts';
import { worldWith, writeText } from '../fleet/relocate/edited-file.ts';
import type { EditedFile } from '../fleet/relocate/edited-file.ts';
import { forgetKept, keepText, keptPath, readKept } from '../fleet/relocate/kept-text.ts';
import { whileStale } from '../fleet/plan/stale.ts';
import { execute, executeAgreed } from './carry-out.ts';
import type { Executed } from './carry-out.ts';
import type { Lock } from '../io/lock.ts';
import type { CliContext } from './context.ts';
import { planText } from './text/plan-text.ts';

export interface EditedPlan {
  readonly file: EditedFile;
  readonly plan: Plan;
  /** The plan for the file as it lies there when this is called. */
  readonly replan: (context: CliContext) => Promise<Plan>;
  readonly command: string;
  /** Carries out without asking also what is planned anew. */
  readonly yes?: boolean | undefined;
  /** The command with what it changes, such as "move mistral": who runs it again goes on with it. */
  readonly by: string;
  /** How requests are shifted; absent: at once. */
  readonly ease?: Ease | undefined;
}

/**
 * Writes the file and carries out its plan. Where that fails, also by an interrupt, the file is put back and what runs is brought
 * back to it. The old text lies beside it meanwhile: one that is killed in between begins again where it began, or is undone.
 */
export async function carryOutEdit(context: CliContext, edited: EditedPlan): Promise<Executed> {
  const { world } = context;
  const { file } = edited;
  await keepText(world, file, edited.by);
  await writeText(world, file.path, file.after);
  try {
    const { plan, result } = await executeFresh(context, edited);
    if (!result.failure) {
      await forgetKept(world, file.path);
      return { plan, result };
    }
    const isBack = await backOut(context, edited);
    return { plan, result: isBack ? { ...result, failure: backedOut(result.failure) } : result };
  } catch (error) {
    await backOut(context, edited);
    throw error;
  }
}

/**
 * Keeps others from editing a fleet file until what is given is released: from before it is looked at, so that nobody takes a change
 * which goes on for one that was broken off. Throws LOCKED.
 */
export async function lockEdit({ world }: CliContext, path: string, by: string): Promise<Lock> {
  const lock = await world.locks.take(lockName(path), `berth ${by} (process ${process.pid})`);
  if (lock) return lock;
  const holder = await world.locks.holder(lockName(path));
  throw new BerthError('LOCKED', { what: path, holder: holder?.text ?? 'another process' });
}

function lockName(path: string): string {
  return `edit ${path}`;
}

/**
 * The context of somebody who begins where a change that was killed began, and its file; null where none was. Of another command's
 * change a look tells, and `changes` throws EDIT_BROKEN_OFF.
 */
export async function beforeKilled(
  context: CliContext,
  path: string,
  { by, changes }: { readonly by: string; readonly changes: boolean },
): Promise<{ context: CliContext; text: string } | null> {
  const { world, output } = context;
  const holder = changes ? null : await world.locks.holder(lockName(path));
  if (holder !== null) {
    output.progress(`berth: ${path} is being changed by ${holder.text}`);
    return null;
  }
  const kept = await readKept(world, path);
  if (kept === null) return null;
  const begun = kept.by ?? by;
  if (begun !== by && changes) throw new BerthError('EDIT_BROKEN_OFF', { path, by: begun });
  output.progress(`berth: a change of ${path} was broken off; what it was before lies in ${keptPath(path)}`);
  if (begun !== by) return null;
  const { text } = kept;
  return { context: { ...context, world: worldWith(world, { path, before: text, after: text }) }, text };
}

/** Brings file and engines back to what they were before a change that was broken off. Throws UNDO_NOTHING, EDIT_BROKEN_OFF and LOCKED. */
export async function undoEdit(
  context: CliContext,
  { path, replan, command, by }: Pick<EditedPlan, 'replan' | 'command' | 'by'> & { readonly path: string },
): Promise<{ plan: Plan; result: ApplyResult }> {
  const { world, output } = context;
  using _lock = await lockEdit(context, path, `${by} --undo`);
  const kept = await readKept(world, path);
  if (kept === null) throw new BerthError('UNDO_NOTHING', { path });
  if ((kept.by ?? by) !== by) throw new BerthError('EDIT_BROKEN_OFF', { path, by: kept.by ?? by });
  await writeText(world, path, kept.text);
  output.progress(`${path} is as it was`);
  const carried = await executeAnew(context, await replan(context), { command, replan });
  if (!carried.result.failure) await forgetKept(world, path);
  return carried;
}

/** Its own exit code, but for an interrupt. */
function backedOut(failure: BerthError): BerthError {
  if (failure.exitCode === exitCodes.interrupted) return failure;
  return new BerthError(failure.code, failure.facts, { cause: failure, exit: 'backedOut' });
}

/** Others may have changed engines, and `berth up --watch` may have begun with the file: what is left is planned, shown and asked for anew. */
async function executeFresh(
  context: CliContext,
  { plan, replan, command, ease, yes }: EditedPlan,
): Promise<Executed> {
  let shown = plan;
  async function again(): Promise<Plan> {
    shown = await replan(context);
    return shown;
  }
  const done = await executeAgreed(context, plan, { command, ease, yes, again });
  if (done) return done;
  throw new BerthError('APPLY_INTERRUPTED', { left: shown.actions.length });
}

/** What was before is wanted whatever others have changed meanwhile: the way back is then planned anew and shown, and not asked for. */
async function executeAnew(
  context: CliContext,
  plan: Plan,
  { command, replan }: Pick<EditedPlan, 'command' | 'replan'>,
): Promise<Executed> {
  const { output } = context;
  let now = plan;
  return whileStale(
    () => execute(context, now, { command }),
    async ({ message }) => {
      now = await replan(context);
      output.progress(`berth: ${message} By now it is:\n${planText(now)}`);
    },
  );
}

/** Whoever interrupts wants what was before, so that the interrupt does not count here. False: it could not be brought back. */
async function backOut(context: CliContext, { file, plan, replan, command }: EditedPlan): Promise<boolean> {
  const { world, output } = context;
  if (file.before === file.after) {
    await forgetKept(world, file.path);
    return false;
  }
  if ((await world.files.read(file.path)) !== file.after) {
    output.progress(`berth: ${file.path} has been changed meanwhile and is left as it is`);
    return false;
  }
  await writeText(world, file.path, file.before);
  output.progress(`Backing out: ${file.path} is as it was`);
  const calm = { ...context, signal: new AbortController().signal };
  const before = await replan(calm);
  const { actions, gateways = [], reload } = before;
  const undone = [...actions, ...gateways, ...(reload ? [reload] : [])].filter(
    ({ do: what }) => what !== 'keep',
  );
  const result = undone.length === 0 ? null : (await executeAnew(calm, before, { command, replan })).result;
  if (result?.failure) {
    output.progress(
      `berth: ${plan.fleet} could not be brought back: ${result.failure.message} ${result.failure.cure}`,
    );
    return false;
  }
  await forgetKept(world, file.path);
  if (result) output.progress('What ran before runs again');
  return true;
}
