import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Action, Plan, Running } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { sameSpec, sameValue } from '../plan/differences.ts';
import { keepRan, stateOfMark } from '../plan/ran-states.ts';
import type { Journal } from './journal.ts';
import { expectAsked, instancesOf, observe } from '../observe/observe.ts';
import { startEngine } from './start-engine.ts';

type Replace = Extract<Action, { do: 'replace' }>;

/** An engine that was to be replaced and was started again as it was, or why it could not be. */
export interface WentBack {
  readonly deployment: string;
  readonly replica: number;
  readonly host: string;
  readonly running: Running;
  readonly failure: BerthError | null;
}

/**
 * Starts the engine of this mark again in the place of one that never answered, and waits until it does. What is left of the
 * new one ends first. Null: nothing had to be done, since the old one still runs.
 * An interrupt does not end this: it is what a person who interrupts a change wants.
 */
export async function goBack(
  host: World,
  plan: Plan,
  {
    action,
    mark,
    journal,
    onProgress,
  }: { action: Replace; mark: Mark; journal: Journal; onProgress: (line: string) => void },
): Promise<WentBack | null> {
  const { deployment, replica, running } = action;
  const place = { deployment, replica, host: action.host, running };
  const name = replica === 0 ? deployment : `${deployment}-${replica}`;
  try {
    const seen = await observe(host);
    for (const target of [running.target, action.wanted.target]) expectAsked(seen, target);
    const there = instancesOf(seen, plan).filter(
      (one) => one.mark?.deployment === deployment && one.mark.replica === replica,
    );
    if (there.some((one) => one.alive && isAsBefore(one.mark, mark))) return null;
    const target = targetOf(mark.target.kind);
    const same = target.updatesBeside ? there.find(({ object }) => object.target === target.kind) : undefined;
    for (const one of there) if (one !== same) await endLeft(host, one, { action, journal });
    onProgress(`Going back: starting ${name} as it was on port ${mark.port}`);
    const reasons = ['the new one never answered'];
    await journal.record(
      { do: 'back', host: action.host, deployment, replica, object: null, target: target.kind, reasons },
      async () => {
        const started = await startEngine(host, mark, {
          withheld: plan.withheld,
          journal,
          hostName: action.host,
          how: same ? { way: 'update', instance: same } : { way: 'create' },
          onProgress,
        });
        await started.ready(new AbortController().signal);
        await keepAgain(host, plan, { name, instance: started.instance, onProgress });
        return started.instance.object.name;
      },
    );
    onProgress(`${name} is back`);
    return { ...place, failure: null };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    onProgress(`berth: ${name} could not be started again as it was: ${error.message}`);
    return { ...place, failure: error };
  }
}

/** What is left of the new one. */
async function endLeft(
  host: World,
  one: Instance,
  { action, journal }: { action: Replace; journal: Journal },
): Promise<void> {
  const { deployment, replica } = action;
  const reasons = ['it never answered, and the old one comes back'];
  const object = one.object.name;
  await journal.record({ do: 'stop', host: action.host, deployment, replica, object, reasons }, async () => {
    await targetOf(one.object.target).remove(host, one, action.wanted.spec.stop);
    return null;
  });
}

/** What was kept with the engine before may have gone with it. That it cannot be kept keeps nobody from serving. */
async function keepAgain(
  host: World,
  plan: Plan,
  { name, instance, onProgress }: { name: string; instance: Instance; onProgress: (line: string) => void },
): Promise<void> {
  const { mark } = instance;
  if (!mark) return;
  try {
    const state = stateOfMark(mark, instance, host.clock.wall().toISOString());
    await keepRan(host, { fleet: plan, place: mark, state });
  } catch (error) {
    onProgress(
      `berth: what ${name} runs as could not be kept for "berth rollback": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function isAsBefore(now: Mark | null, before: Mark): boolean {
  return now?.port === before.port && sameSpec(now.spec, before.spec) && sameValue(now.target, before.target);
}
