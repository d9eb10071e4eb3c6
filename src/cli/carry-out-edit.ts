import { BerthError } from '../domain/errors/berth-error.ts';
import type { Plan } from '../domain/plan.ts';
import type { ApplyResult } from '../fleet/apply/apply.ts';
import { writeText } from '../fleet/relocate/edited-file.ts';
import type { EditedFile } from '../fleet/relocate/edited-file.ts';
import { execute } from './carry-out.ts';
import type { CliContext } from './context.ts';

export interface EditedPlan {
  readonly file: EditedFile;
  readonly plan: Plan;
  /** The plan for the file as it lies there when this is called. */
  readonly replan: (context: CliContext) => Promise<Plan>;
  readonly command: string;
}

/**
 * Writes the file and carries out its plan. Where that fails, also by an interrupt, the file is put back and what runs is brought
 * back to it. One that is killed in between goes on where it was when it is run again.
 */
export async function carryOutEdit(
  context: CliContext,
  edited: EditedPlan,
): Promise<{ plan: Plan; result: ApplyResult }> {
  const { world } = context;
  const { file } = edited;
  await writeText(world, file.path, file.after);
  try {
    const carried = await executeFresh(context, edited);
    if (carried.result.failure) await backOut(context, edited);
    return carried;
  } catch (error) {
    await backOut(context, edited);
    throw error;
  }
}

/** `berth up --watch` may have begun with the file already: what is left is planned once more. */
async function executeFresh(
  context: CliContext,
  { plan, replan, command }: EditedPlan,
): Promise<{ plan: Plan; result: ApplyResult }> {
  try {
    return await execute(context, plan, { command });
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'PLAN_STALE') throw error;
    return execute(context, await replan(context), { command });
  }
}

/** Whoever interrupts wants what was before, so that the interrupt does not count here. */
async function backOut(context: CliContext, { file, plan, replan, command }: EditedPlan): Promise<void> {
  const { world, output } = context;
  if (file.before === file.after) return;
  if ((await world.files.read(file.path)) !== file.after) {
    output.progress(`berth: ${file.path} has been changed meanwhile and is left as it is`);
    return;
  }
  await writeText(world, file.path, file.before);
  output.progress(`Backing out: ${file.path} is as it was`);
  const calm = { ...context, signal: new AbortController().signal };
  const before = await replan(calm);
  const { actions, gateways = [], reload } = before;
  const undone = [...actions, ...gateways, ...(reload ? [reload] : [])].filter(
    ({ do: what }) => what !== 'keep',
  );
  if (undone.length === 0) return;
  const { result } = await execute(calm, before, { command });
  output.progress(
    result.failure
      ? `berth: ${plan.fleet} could not be brought back: ${result.failure.message} ${result.failure.cure}`
      : 'What ran before runs again',
  );
}
