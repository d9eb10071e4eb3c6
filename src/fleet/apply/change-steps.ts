import type { Effect } from '../../domain/journal.ts';
import { machineOf } from '../../domain/host-access.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { leftText } from '../../domain/left.ts';
import type { Action, Plan, Running } from '../../domain/plan.ts';
import type { RanState } from '../../domain/ran-states.ts';
import type { World } from '../../io/world.ts';
import type { Target } from '../../targets/contract.ts';
import { targetOf } from '../../targets/registry.ts';
import { sameSpec, sameValue } from '../plan/differences.ts';
import { goBack } from './go-back.ts';
import type { WentBack } from './go-back.ts';
import { worldOn } from '../file/hosts.ts';
import type { Journal } from './journal.ts';
import { expectAsked, instancesOf, observe } from '../observe/observe.ts';
import type { Observed } from '../observe/observe.ts';
import { engineLog, fleetPaths } from '../file/paths.ts';
import type { Change } from '../plan/order.ts';
import { forgetRan, keepRan, stateOfMark, stateOfWanted } from '../plan/ran-states.ts';
import { isForSecret } from '../plan/secret-hashes.ts';
import { isUnreached, waitAnswer } from './ready.ts';
import { startEngine } from './start-engine.ts';
import type { StartedEngine, StartWay } from './start-engine.ts';

type Starting = Exclude<Change, { do: 'stop' }>;
type Ending = Exclude<Change, { do: 'start' }>;

export interface StepContext {
  readonly plan: Plan;
  /** What was there before anything was done. */
  readonly observed: Pick<Observed, 'instances'>;
  readonly journal: Journal;
  readonly options: { readonly signal: AbortSignal; readonly onProgress: (line: string) => void };
  /** When this apply began. */
  readonly at: string;
  /** Its port goes to another engine, so that it must end before that one starts. */
  readonly makesRoom: boolean;
}

export interface EngineSteps {
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Ends the one that was started, which answers and is not wanted after all. */
  readonly discard: () => Promise<void>;
  /** What the new one takes the place of ends, having served until now; null: it does not serve beside the new one. */
  readonly finish: (() => Promise<void>) | null;
  /** What was replaced, as it was; null where that is not needed or would be the same again. */
  readonly back: () => Promise<WentBack | null>;
}

/** How the engine of one action is ended and started, on its host and by its target. */
export function changeSteps(world: World, action: Change, context: StepContext): EngineSteps {
  function host(): Promise<World> {
    return worldOn(world, context.plan.hosts[action.host]);
  }
  const how = startWay(action, context);
  const finish = how.way === 'create' || action.do !== 'replace' ? undefined : finisherOf(action);
  let begun = false;
  let answers = false;
  let serves = false;
  let made: StartedEngine | null = null;
  return {
    stop: async () => {
      if (action.do === 'start' || how.way !== 'create') return;
      await context.journal.record(effectOf(action, 'stop'), async () =>
        removeRunning(await host(), action, context),
      );
    },
    start: async () => {
      if (action.do === 'stop') return;
      begun = true;
      await context.journal
        .record(effectOf(action, 'start', how), async () =>
          startWanted(await host(), action, context, {
            ...how,
            keepsOld: finish !== undefined,
            onMade: (engine) => (made = engine),
          }),
        )
        .catch((error: unknown) => {
          serves = isUnreached(error);
          throw error;
        });
      answers = true;
    },
    discard: async () => {
      const engine: StartedEngine | null = made;
      if (action.do === 'stop' || !engine) return;
      const effect = { ...effectOf(action, 'stop'), object: engine.instance.object.name };
      await context.journal.record(effect, async () => discardStarted(await host(), action, engine, context));
    },
    finish: finish
      ? async () => {
          if (how.way !== 'create') await finish(await host(), how.instance);
        }
      : null,
    back: async () => {
      const mark = action.do === 'replace' ? instanceOf(context.observed, action.running)?.mark : null;
      // One that only berth cannot ask serves all others; the old one would be asked in vain as well.
      if (action.do !== 'replace' || !mark || answers || serves) return null;
      // The very same has just failed by itself.
      if (begun && isTheSame(mark, action) && !context.options.signal.aborted) return null;
      const { journal, options } = context;
      return goBack(await host(), context.plan, { action, mark, journal, onProgress: options.onProgress });
    },
  };
}

/** Undefined where the new engine does not come beside the old one. */
function finisherOf({ wanted }: Extract<Action, { do: 'replace' }>): Target['finish'] {
  const target = targetOf(wanted.target.kind);
  return target.rolls?.(wanted.spec, wanted.target) ? target.finish : undefined;
}

/** In its place and by the same target, an object may be changed or started once more instead of made again. */
function startWay(action: Change, { observed, makesRoom }: StepContext): StartWay {
  if (action.do !== 'replace' || action.beside || makesRoom) return { way: 'create' };
  const { wanted, running } = action;
  const instance = instanceOf(observed, running);
  const target = targetOf(wanted.target.kind);
  if (!instance?.mark || running.target.kind !== wanted.target.kind) return { way: 'create' };
  if (isTheSame(instance.mark, action) && target.restart) return { way: 'restart', instance };
  return target.update ? { way: 'update', instance } : { way: 'create' };
}

function isTheSame(mark: Mark, { wanted, running, reasons }: Extract<Action, { do: 'replace' }>): boolean {
  return (
    sameSpec(mark.spec, wanted.spec) &&
    sameValue(running.target, wanted.target) &&
    running.port === wanted.port &&
    !reasons.some(isForSecret)
  );
}

function instanceOf(observed: Pick<Observed, 'instances'>, running: Running): Instance | undefined {
  return observed.instances.find((one) => sameObject(one.object, running.object));
}

/** As the journal has it. What is changed in its place is named with what it is started as. */
function effectOf(action: Change, kind: Effect['do'], how?: StartWay): Effect {
  const { host, deployment, replica, reasons } = action;
  const named = action.do !== 'start' && (kind === 'stop' || how?.way !== 'create');
  return {
    do: kind,
    host,
    deployment,
    replica,
    object: named ? action.running.object.name : null,
    ...(kind === 'start' && action.do !== 'stop' ? { target: action.wanted.target.kind } : {}),
    reasons: reasons.map((reason) => reason.text),
  };
}

async function removeRunning(host: World, action: Ending, context: StepContext): Promise<null> {
  const { plan, options } = context;
  const { running } = action;
  const seen = await observe(host);
  const instance = instancesOf(seen, plan).find((one) => sameObject(one.object, running.object));
  if (!instance) expectAsked(seen, running.target);
  if (!instance) return null;
  // Beside a new one, it was kept before that one was, which is the newer of the two.
  if (instance.mark && !(action.do === 'replace' && action.beside))
    await keep(host, action, stateOfMark(instance.mark, instance, context.at), context);
  options.onProgress(`Stopping ${nameOf(action)} (${running.object.name})`);
  const target = targetOf(running.target.kind);
  if (action.do === 'stop' && action.parks && target.park) {
    await target.park(host, instance, running.stop);
    return null;
  }
  // What ran before must outlive a change that fails or is cut off, also one to another kind of target.
  const ends = action.do === 'stop' && !action.returns && !comesBack(plan, action);
  await target.remove(host, instance, { ...running.stop, settles: true, ends });
  const isLast = !instancesOf(seen, plan).some(
    ({ object, mark }) =>
      mark?.deployment === action.deployment &&
      mark.replica === action.replica &&
      !sameObject(object, running.object),
  );
  if (ends && isLast && !host.cluster)
    await forgetRan(host, plan, { place: action, secrets: Object.keys(instance.mark?.spec.secrets ?? {}) });
  const left = action.do === 'stop' && instance.mark ? await target.leaves?.(host, instance.mark) : [];
  for (const one of left ?? []) options.onProgress(leftText(one));
  return null;
}

/** The same plan has another engine in its place, by another name of the same machine. */
function comesBack({ actions, hosts }: Plan, { deployment, replica, host }: Change): boolean {
  return actions.some(
    (one) =>
      one.do !== 'stop' &&
      one.deployment === deployment &&
      one.replica === replica &&
      machineOf(hosts[one.host]) === machineOf(hosts[host]),
  );
}

async function startWanted(
  host: World,
  action: Starting,
  context: StepContext,
  how: StartWay & { readonly keepsOld: boolean; readonly onMade: (engine: StartedEngine) => void },
): Promise<string> {
  const { plan, observed, options } = context;
  const mark = markOf(host, plan, action);
  const since = host.clock.now();
  const before = action.do === 'replace' ? instanceOf(observed, action.running) : undefined;
  if (before?.mark && (how.way === 'update' || (action.do === 'replace' && action.beside)))
    await keep(host, action, stateOfMark(before.mark, before, context.at), context);
  options.onProgress(`Starting ${nameOf(action)} on port ${mark.port}`);
  const started = await startEngine(host, mark, {
    withheld: plan.withheld,
    journal: context.journal,
    hostName: action.host,
    how,
    keepsOld: how.keepsOld,
    onProgress: options.onProgress,
  });
  how.onMade(started);
  await started.ready(options.signal);
  await keep(host, action, stateOfWanted(action.wanted, context.at), context);
  options.onProgress(`${nameOf(action)} is ready (${((host.clock.now() - since) / 1000).toFixed(1)} s)`);
  return started.instance.object.name;
}

async function discardStarted(
  host: World,
  action: Starting,
  { instance }: StartedEngine,
  { options }: StepContext,
): Promise<null> {
  options.onProgress(`Stopping the new ${nameOf(action)} (${instance.object.name})`);
  const how = { ...action.wanted.spec.stop, ends: action.do === 'start' };
  await targetOf(instance.object.target).remove(host, instance, how);
  return null;
}

/** For going back later. That it cannot be kept is told and keeps nobody from serving. */
async function keep(
  host: World,
  place: Change,
  state: RanState,
  { plan, options }: StepContext,
): Promise<void> {
  try {
    await keepRan(host, { fleet: plan, place, state });
  } catch (error) {
    options.onProgress(
      `berth: what ${nameOf(place)} runs as could not be kept for "berth rollback": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** The mark of what an action makes. */
export function markOf(world: World, plan: Plan, action: Starting): Mark {
  const { wanted } = action;
  return {
    fleet: plan.fleet,
    fleetId: plan.fleetId,
    deployment: action.deployment,
    replica: action.replica,
    target: wanted.target,
    address: wanted.address,
    port: wanted.port,
    logFile: engineLog(fleetPaths(world, plan), action.deployment, action.replica),
    declared: wanted.declared,
    spec: wanted.spec,
  };
}

/** What is kept must answer as well; one that was started a moment ago has its time to. */
export async function expectAnswer(
  world: World,
  plan: Plan,
  action: Extract<Action, { do: 'keep' }>,
  signal: AbortSignal,
): Promise<void> {
  const host = await worldOn(world, plan.hosts[action.host]);
  const instance = instancesOf(await observe(host), plan).find((one) =>
    sameObject(one.object, action.running.object),
  );
  if (!instance?.mark) return;
  await waitAnswer(host, { instance, mark: instance.mark, signal });
  // One who was killed may have left the engine of before.
  await targetOf(instance.object.target).finish?.(host, instance);
}

function nameOf(action: Action): string {
  return action.replica === 0 ? action.deployment : `${action.deployment}-${action.replica}`;
}
