import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitOfCode } from '../../domain/errors/table.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Action, GatewayAction, GatewayReload, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { takeHostLocks } from './host-locks.ts';
import { keepApplied } from '../file/applied-files.ts';
import { worldOn } from '../file/hosts.ts';
import { namePlanned } from '../file/named-secrets.ts';
import { changeSteps, expectAnswer } from './change-steps.ts';
import type { EngineSteps } from './change-steps.ts';
import type { WentBack } from './go-back.ts';
import type { Ease } from './handover.ts';
import { changeEngine, goBack, letIn, makeRoom, partFrom, settle } from './move.ts';
import type { Steps } from './move.ts';
import { openJournal, planId } from './journal.ts';
import { noteApplying } from './note-applied.ts';
import { independent, placesOf, unseenOf } from './parts-of-plan.ts';
import { sideBySide } from './side-by-side.ts';
import { settleAll } from './settle-all.ts';
import { orTold } from './or-told.ts';
import { tidy } from './tidy.ts';
import { observeHosts } from '../observe/observe.ts';
import type { Sight } from '../observe/observe.ts';
import { filesOf, isThere } from '../plan/missing-files.ts';
import { foreignHolders, portFault } from '../plan/prepare-plan.ts';
import { unstartable } from '../plan/missing-programs.ts';
import { inOrder, isInTheWay, successorOf } from '../plan/order.ts';
import type { Change } from '../plan/order.ts';
import { expectFits } from '../plan/fit.ts';
import { dropRecords, forgetPart } from '../plan/ran-states.ts';
import { protectedFindings } from '../plan/protect.ts';
import { previewFindings } from '../observe/look-closer.ts';
import { staleness } from '../plan/stale.ts';
import { takingOver } from './taking-over.ts';
import type { Successor, Traffic } from './traffic.ts';

export interface ApplyOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** By which command, for the journal. */
  readonly command: string;
  /** Names the plan there as it was shown, before its models were fetched. */
  readonly planId?: string;
  /** Moves requests out of the way of what changes; where no gateway runs, `noTraffic`. */
  readonly traffic: Traffic;
  /** How an engine takes the place of one that still serves; absent: at once. */
  readonly ease?: Ease | undefined;
  /** Engines that do not fit by what is computed of them are started all the same. */
  readonly force?: boolean | undefined;
}

/** What came of a plan. `failure` is what stopped it; running apply again goes on from there. */
export interface ApplyResult {
  readonly done: readonly Action[];
  readonly notDone: readonly Action[];
  /** Engines that had made room for one that never answered, and run again as they were, or could not be started again. */
  readonly back: readonly WentBack[];
  /** Of the gateway in a cluster, which comes after the engines. */
  readonly gateways: { readonly done: readonly GatewayAction[]; readonly notDone: readonly GatewayAction[] };
  /** What the gateway here has taken over; null: nothing, or none runs. */
  readonly reload: GatewayReload | null;
  readonly failure: BerthError | null;
}

type OfEngines = Omit<ApplyResult, 'gateways' | 'reload'>;

/**
 * Does what the plan says, and nothing else: first what must end (that frees ports), then each start, waiting until it answers; machines
 * side by side.
 * Throws before anything is touched when the plan is stale, a port is held, a file is missing or someone else is applying.
 */
export async function apply(world: World, plan: Plan, options: ApplyOptions): Promise<ApplyResult> {
  using _locks = await takeHostLocks(world, Object.values(plan.hosts), {
    who: `berth apply of fleet ${plan.fleet}`,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  await namePlanned(world, plan);
  await tidy(world, plan);
  const observed = await observeHosts(world, plan.hosts);
  const [silent] = [...observed.silent.values(), ...unseenOf(plan, observed)];
  if (silent) throw silent;
  const changed = await staleness(world, plan, observed);
  if (changed.length > 0) throw new BerthError('PLAN_STALE', { changed });
  if (!options.force) expectFits(plan);
  await preflight(world, plan, observed);
  for (const finding of protectedFindings(plan)) options.onProgress(`berth: ${finding.message}`);
  await keepApplied(world, plan, plan.basis.files);
  const noteApplied = await noteApplying(world, plan);
  const { traffic, taken } = takingOver(world, plan, options);
  // Awaited here: the locks end with this function.
  const engines = await execute(world, plan, observed, { ...options, traffic });
  await noteApplied(engines.notDone);
  if (!engines.failure) await forgetLeft(world, plan, options);
  return { ...(await withGatewaysDone(world, plan, engines, options)), reload: taken() };
}

/** The plan is not stale: nothing is there that would need it. */
async function forgetLeft(
  world: World,
  { fleet, fleetId, hosts, forgets = [] }: Plan,
  { onProgress }: ApplyOptions,
): Promise<void> {
  for (const { host, deployment, replica } of forgets)
    await orTold(onProgress, host, async () => {
      const there = await worldOn(world, hosts[host]);
      const part = { fleet, fleetId, deployment, replica };
      await dropRecords(there, part);
      await forgetPart(there, part);
    });
}

async function withGatewaysDone(
  world: World,
  plan: Plan,
  engines: OfEngines,
  { command, planId: id = planId(plan), signal, onProgress }: ApplyOptions,
): Promise<Omit<ApplyResult, 'reload'>> {
  const wanted = (plan.gateways ?? []).filter((action) => action.do !== 'keep');
  if (engines.failure || wanted.length === 0) return { ...engines, gateways: { done: [], notDone: wanted } };
  const { carryOutGateways } = await import('../cluster-gateway/carry-out-all.ts');
  const journal = openJournal(world, plan, { command, plan: id });
  const { failure, ...gateways } = await carryOutGateways(world, plan, { journal, signal, onProgress });
  const some = gateways.done.length > 0 || engines.done.some((action) => action.do !== 'keep');
  const told =
    failure && some
      ? new BerthError(failure.code, failure.facts, { cause: failure, exit: 'partlyApplied' })
      : failure;
  return { ...engines, gateways, failure: told };
}

async function preflight(world: World, plan: Plan, observed: Sight): Promise<void> {
  for (const { path, host, what } of filesOf(plan))
    if (!(await isThere(await worldOn(world, plan.hosts[host]), path)))
      throw new BerthError('FILE_MISSING', { path, what });
  const [held] = foreignHolders(plan, observed);
  if (held) throw portFault(plan, held);
  const seen = [...(await previewFindings(world, plan)), ...(await ofGateways(world, plan))];
  const now = seen.filter((one) => one.severity === 'critical');
  const before = unstartable(plan).filter(({ object }) => !now.some((one) => one.object === object));
  const foreseen = [...before, ...now];
  const [first] = foreseen;
  if (!first) return;
  const exit = exitOfCode(first.evidence[0] ?? '') ?? 'fault';
  throw new BerthError('TARGET_FORESEES', { findings: foreseen }, { exit });
}

async function ofGateways(world: World, plan: Plan): Promise<Finding[]> {
  if (!plan.gateways) return [];
  return (await import('../cluster-gateway/foresee.ts')).gatewayFindings(world, plan);
}

async function execute(world: World, plan: Plan, observed: Sight, options: ApplyOptions): Promise<OfEngines> {
  const done: Action[] = plan.actions.filter((action) => action.do === 'keep');
  const back: WentBack[] = [];
  const ordered = inOrder(plan);
  const inTheWay = ordered.flatMap((one) => (one.do === 'replace' && isInTheWay(ordered, one) ? [one] : []));
  const partings = partingsIn(ordered);
  const { traffic, shiftBack } = followed(options);
  const steps = allSteps(world, plan, { observed, options, traffic, ordered, inTheWay, back, shiftBack });
  function stepsOf(action: Change): Steps {
    return steps.get(action) as Steps;
  }
  const begun = new Set<Change>(inTheWay);
  try {
    for (const action of inTheWay) await makeRoom(traffic, action, stepsOf(action));
    for (const chains of independent(plan, ordered))
      await sideBySide(chains, async (action) => {
        options.signal.throwIfAborted();
        begun.add(action);
        const parting = partings.find((one) => one.stop === action || one.start === action);
        if (action.do === 'replace' && inTheWay.includes(action))
          await settle(traffic, action, stepsOf(action));
        else if (parting && action.do === 'stop')
          await partFrom(
            traffic,
            action,
            stepsOf(action),
            parting.start.wanted.spec.readiness.startTimeoutMs,
          );
        else await changeEngine(traffic, action, stepsOf(action));
        if (parting && action.do === 'start') await meetAgain(traffic, plan, parting, stepsOf(parting.stop));
        done.push(action);
      });
    await traffic({ do: 'shift', to: null });
    for (const action of plan.actions)
      if (action.do === 'keep') await expectAnswer(world, plan, action, options.signal);
    return { done, notDone: [], back, failure: null };
  } catch (error) {
    for (const action of inTheWay) if (!done.includes(action)) await goBack(traffic, action, stepsOf(action));
    const notDone = ordered.filter((action) => !done.includes(action));
    return { done, notDone, back, failure: failureOf(error, { done, notDone, back, options }) };
  } finally {
    for (const action of inTheWay) await letIn(traffic, action, stepsOf(action));
    for (const { stop } of partings) await letIn(traffic, stop, stepsOf(stop));
    await settleAll([...begun].flatMap(placesOf), {
      worldOf: (host) => worldOn(world, plan.hosts[host]),
      onProgress: options.onProgress,
    });
  }
}

interface Carried {
  readonly observed: Sight;
  readonly options: ApplyOptions;
  readonly traffic: Traffic;
  readonly ordered: readonly Change[];
  readonly inTheWay: readonly Change[];
  readonly back: WentBack[];
  readonly shiftBack: (to: Successor) => Promise<void>;
}

function allSteps(
  world: World,
  plan: Plan,
  { observed, options, traffic, ordered, inTheWay, back, shiftBack }: Carried,
): Map<Change, Steps> {
  const journal = openJournal(world, plan, {
    command: options.command,
    plan: options.planId ?? planId(plan),
  });
  const at = world.clock.wall().toISOString();
  return new Map(
    ordered.map((action) => {
      const makesRoom = inTheWay.some((one) => one === action);
      const own = changeSteps(world, action, { plan, observed, journal, options, at, makesRoom });
      const alone = makesRoom || !hasOthers(plan, action);
      return [
        action,
        {
          ...own,
          alone,
          machine: machineOf(plan.hosts[action.host]),
          back: () => goBackBy(own, { back, shiftBack }),
          ease: (to) => easeTo(options.ease, traffic, { plan, action, to }),
          before: () => shiftBefore(world, plan, action, options.signal),
        },
      ];
    }),
  );
}

/** An engine that ends before the one of its replica starts elsewhere. */
interface Parting {
  readonly stop: Extract<Action, { do: 'stop' }>;
  readonly start: Extract<Action, { do: 'start' }>;
}

function partingsIn(ordered: readonly Change[]): Parting[] {
  return ordered.flatMap((stop, at) => {
    const start = stop.do === 'stop' ? successorOf(ordered, stop) : null;
    return stop.do === 'stop' && start?.do === 'start' && ordered.indexOf(start) > at
      ? [{ stop, start }]
      : [];
  });
}

/** The one elsewhere answers: it is in force before those who wait are let in. */
async function meetAgain(
  traffic: Traffic,
  plan: Plan,
  { stop, start }: Parting,
  steps: Pick<Steps, 'alone' | 'machine'>,
): Promise<void> {
  const { deployment, replica, wanted, host } = start;
  const machine = machineOf(plan.hosts[host]);
  await traffic({ do: 'shift', to: { deployment, replica, port: wanted.port, machine } });
  await letIn(traffic, stop, steps);
}

async function goBackBy(
  steps: EngineSteps,
  { back, shiftBack }: { back: WentBack[]; shiftBack: (to: Successor) => Promise<void> },
): Promise<void> {
  const went = await steps.back();
  if (!went) return;
  back.push(went);
  if (!went.failure) await shiftBack({ ...went, port: went.running.port });
}

/**
 * Whether the gateway has taken in what runs while some engines were away: only then it has to hear that they are back, else
 * it goes on as it was.
 */
function followed({ traffic, onProgress }: ApplyOptions): {
  traffic: Traffic;
  shiftBack: (to: Successor) => Promise<void>;
} {
  let shifted = false;
  return {
    traffic: (step) => {
      shifted ||= step.do === 'shift';
      return traffic(step);
    },
    shiftBack: async ({ deployment, replica, port }) => {
      try {
        if (shifted) await traffic({ do: 'shift', to: { deployment, replica, port } });
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        onProgress(`berth: the gateway was not told that ${deployment} is back: ${error.message}`);
      }
    },
  };
}

/** How the process exits says whether running it again goes on or begins. Throws what is no fault that berth knows. */
function failureOf(
  error: unknown,
  {
    done,
    notDone,
    back,
    options,
  }: Pick<ApplyResult, 'done' | 'notDone' | 'back'> & { options: ApplyOptions },
): BerthError {
  if (!(error instanceof BerthError)) {
    if (!options.signal.aborted) throw error;
    return new BerthError('APPLY_INTERRUPTED', { left: notDone.length }, { cause: error });
  }
  const some = notDone.length > 0 && done.some((action) => action.do !== 'keep');
  return some || back.length > 0
    ? new BerthError(error.code, error.facts, { cause: error, exit: 'partlyApplied' })
    : error;
}

/**
 * Who serves in place of an engine that ends: its replica on another host, or the one of two that stays. Where the whole deployment
 * goes, its routes may lead elsewhere by now.
 */
async function shiftBefore(
  world: World,
  plan: Plan,
  action: Change,
  signal: AbortSignal,
): Promise<{ to: Successor | null } | null> {
  if (action.do !== 'stop') return null;
  const next = successorOf(plan.actions, action);
  if (next?.do === 'keep') await expectAnswer(world, plan, next, signal);
  if (next) {
    const { port } = next.do === 'keep' ? next.running : next.wanted;
    const machine = machineOf(plan.hosts[next.host]);
    return { to: { deployment: next.deployment, replica: next.replica, port, machine } };
  }
  const stays = plan.actions.some((one) => one.do !== 'stop' && one.deployment === action.deployment);
  return stays ? null : { to: null };
}

async function easeTo(
  ease: Ease | undefined,
  traffic: Traffic,
  { plan, action, to }: { plan: Plan; action: Change; to: Successor },
): Promise<void> {
  if (!ease || action.do === 'start') return;
  const { deployment, replica, host, running } = action;
  const next = action.do === 'stop' ? successorOf(plan.actions, action)?.host : host;
  await ease(traffic, {
    plan,
    deployment,
    replica,
    from: { host, machine: machineOf(plan.hosts[host]), running },
    to: { ...to, host: next ?? host },
  });
}

/** Other replicas of it serve meanwhile. */
function hasOthers(plan: Plan, action: Change): boolean {
  return plan.actions.some(
    (other) =>
      other !== action &&
      other.deployment === action.deployment &&
      (other.do === 'keep' || other.do === 'replace'),
  );
}
