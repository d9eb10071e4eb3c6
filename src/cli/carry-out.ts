import { BerthError } from '../domain/errors/berth-error.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import type { Finding } from '../domain/finding.ts';
import type { Plan } from '../domain/plan.ts';
import { apply } from '../fleet/apply/apply.ts';
import type { ApplyResult } from '../fleet/apply/apply.ts';
import type { Ease } from '../fleet/apply/handover.ts';
import type { WentBack } from '../fleet/apply/go-back.ts';
import { planId } from '../fleet/apply/journal.ts';
import { whileStale } from '../fleet/plan/stale.ts';
import { expectFits } from '../fleet/plan/fit.ts';
import { expectNoneHeld } from '../fleet/plan/protect.ts';
import type { CliContext } from './context.ts';
import { fetchModels } from './fetch-models.ts';
import { changesOf, gatewayNameOf, nameOf, planText } from './text/plan-text.ts';
import { restWords } from './rest-change.ts';
import type { RestChange } from './rest-change.ts';
import { exitOf, unreachedHosts } from './unreached-hosts.ts';
import { trafficOfUp } from './up-traffic.ts';

export interface Carrying {
  readonly yes?: boolean | undefined;
  readonly command: string;
  /** Asks before anything is done, and does nothing where nobody can answer. */
  readonly always?: boolean;
  /** How a new engine is given requests; absent: all at once. */
  readonly ease?: Ease | undefined;
  /** Starts what does not fit, too. */
  readonly force?: boolean | undefined;
  /** What is done beside the plan, for the question. */
  readonly more?: readonly string[];
  /** What is told beside the result. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** What was written down of deployments that stand still by hand. */
  readonly rested?: (() => RestChange) | undefined;
  /** What was done before the question, for whoever does not agree; absent: nothing. */
  readonly before?: string;
  /** Makes the plan anew; absent: it is a kept one, which is carried out as it is or not at all. */
  readonly again?: () => Promise<Plan>;
}

/**
 * Shows a plan, asks where somebody can answer, carries it out and says what came of it. Where others have changed engines while it
 * waited, the plan is made, shown and asked for once more.
 */
export async function carryOut(context: CliContext, plan: Plan, options: Carrying): Promise<void> {
  if (!(await consents(context, plan, options))) return;
  const done = await executeAgreed(context, plan, options);
  if (done)
    reportApply(context, done.plan, { result: done.result, also: options.also, rested: options.rested?.() });
}

/** A plan as it was carried out, and what came of it. */
export interface Executed {
  readonly plan: Plan;
  readonly result: ApplyResult;
}

/**
 * Carries out a plan that was agreed to. Where others have changed engines while it waited, it is made `again`, shown and asked for.
 * Null: that one was not agreed to.
 */
export async function executeAgreed(
  context: CliContext,
  plan: Plan,
  options: Carrying,
): Promise<Executed | null> {
  const { again } = options;
  if (!again) return execute(context, plan, options);
  let agreed: Plan | null = plan;
  return whileStale(
    async () => agreed && execute(context, agreed, options),
    async ({ message }) => {
      context.output.progress(`berth: ${message} By now it is:`);
      const now = await again();
      agreed = (await consents(context, now, options)) ? now : null;
    },
  );
}

/** Shows a plan and asks where somebody can answer; false: nothing is to be done. */
export async function consents(
  context: CliContext,
  plan: Plan,
  { yes, always, force, more = [], before }: Carrying,
): Promise<boolean> {
  const { output } = context;
  output.progress(planText(plan));
  expectNoneHeld(plan);
  if (!force) expectFits(plan);
  if (yes || (await (always ? agrees(context, plan, more) : mayInterrupt(context, plan)))) return true;
  output.progress(before === undefined ? 'Nothing was done.' : `Nothing more was done: ${before}`);
  context.exit(exitCodes.interrupted);
  return false;
}

/** Fetches what the plan needs and applies it; the plan that was carried out names the files that were fetched. */
export async function execute(
  context: CliContext,
  plan: Plan,
  { command, ease, force }: Pick<Carrying, 'command' | 'ease' | 'force'>,
): Promise<Executed> {
  const { world, output, signal } = context;
  const fetched = await fetchModels(context, plan);
  const result = await apply(world, fetched, {
    signal,
    onProgress: output.progress,
    traffic: await trafficOfUp(context, plan, plan.basis.files),
    ease,
    force,
    command,
    planId: planId(plan),
  });
  return { plan: fetched, result };
}

/** Asked only where somebody sits who can answer: a script goes on as it always did. */
async function mayInterrupt({ ask }: CliContext, plan: Plan): Promise<boolean> {
  const hit = changesOf(plan, ['stop', 'replace']);
  if (hit.length === 0 || !ask) return true;
  return /^y(es)?$/i.test((await ask(`This will ${hit.join(', ')}. Go on? [y/N] `)).trim());
}

/** Throws USAGE where nobody can answer. */
async function agrees({ ask }: CliContext, plan: Plan, more: readonly string[]): Promise<boolean> {
  const todo = [...changesOf(plan, ['start', 'stop', 'replace']), ...more];
  if (todo.length === 0) return true;
  if (!ask) {
    const detail = 'Nobody is here who could say yes; --yes carries the plan out without asking.';
    throw new BerthError('USAGE', { detail, command: 'audit' });
  }
  return /^y(es)?$/i.test((await ask(`This will ${todo.join(', ')}. Go on? [y/N] `)).trim());
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
export function reportApply(
  context: CliContext,
  plan: Plan,
  { result, also, rested }: { result: ApplyResult; also?: Carrying['also']; rested?: RestChange | undefined },
): void {
  const { output } = context;
  const { failure } = result;
  const { gateways } = result;
  const changed = [
    ...result.done.filter((action) => action.do !== 'keep').map((action) => `${action.do} ${nameOf(action)}`),
    ...gateways.done.map((action) => `${action.do} ${gatewayNameOf(action)}`),
    ...(result.reload ? ['reload gateway'] : []),
    ...(rested ? restWords(rested, touchedBy(result)) : []),
  ];
  const back = result.back.map((one) => ({ ...one, failure: one.failure?.toJSON() ?? null }));
  const { done: did, notDone } = result;
  const unreached = unreachedHosts(plan);
  const value = {
    ...also,
    ...(rested && {
      byHand: {
        do: rested.rest ? 'stop' : 'start',
        deployments: rested.changed.map((one) => one.deployment),
      },
    }),
    plan,
    done: did,
    notDone,
    back,
    ...(plan.gateways ? { gateways } : {}),
    ...(plan.reload ? { reload: result.reload } : {}),
    failure: failure?.toJSON() ?? null,
  };
  output.result(value, () => {
    if (!failure) {
      return doneText(changed, unreached, plan.findings);
    }
    const left = [
      ...notDone.map((action) => `${action.do} ${nameOf(action)}`),
      ...gateways.notDone.map((action) => `${action.do} ${gatewayNameOf(action)}`),
    ];
    return [
      `Done: ${changed.length === 0 ? 'nothing' : changed.join(', ')}. Not done: ${left.length === 0 ? 'nothing' : left.join(', ')}.`,
      `berth: ${failure.message}`,
      failure.cure,
      ...result.back.map(backText),
    ].join('\n');
  });
  if (failure) context.exit(failure.exitCode);
  else if (unreached.length > 0) context.exit(exitOf(unreached, changed.length > 0));
}

function touchedBy({ done, notDone }: ApplyResult): ReadonlySet<string> {
  const changed = done.filter((action) => action.do !== 'keep');
  return new Set([...changed, ...notDone].map((action) => action.deployment));
}

function doneText(
  done: readonly string[],
  unreached: readonly { readonly host: string; readonly target?: string | undefined }[],
  findings: readonly Finding[],
): string {
  if (unreached.length === 0)
    return done.length === 0 ? 'Nothing had to be done.' : `Done: ${done.join(', ')}.`;
  const missing = findings
    .filter(
      ({ rule, object }) =>
        (rule === 'host-unreachable' || rule === 'target-unreachable') &&
        unreached.some(({ host }) => host === object),
    )
    .map((one) => `berth: ${one.message}\n${one.cure}`);
  return [
    `Done: ${done.length === 0 ? 'nothing' : done.join(', ')}. Nothing was done on ${unreached.map(placeText).join(', ')}.`,
    ...missing,
  ].join('\n');
}

function placeText({ host, target }: { host: string; target?: string | undefined }): string {
  return target === undefined ? host : `${host} (${target})`;
}
