import { BerthError } from '../../domain/errors/berth-error.ts';
import { foundAgain } from '../../domain/given-files.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Action, Plan, Reason } from '../../domain/plan.ts';
import type { RanState } from '../../domain/ran-states.ts';
import type { World } from '../../io/world.ts';
import { expectNamed } from './expect-named.ts';
import { desiredReplicas } from '../plan/desired.ts';
import type { DesiredReplica } from '../plan/desired.ts';
import { worldOfHost } from '../file/hosts.ts';
import { expectNamedSecrets } from '../file/named-secrets.ts';
import { instancesOf, observeFleet, unseenFault } from '../observe/observe.ts';
import { preparePlan } from '../plan/prepare-plan.ts';
import { readRan, stateBefore } from '../plan/ran-states.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';

/** One replica, with what it is and what it was. */
interface Candidate {
  readonly deployment: Deployment;
  readonly replica: number;
  readonly mark: Mark | null;
  readonly before: RanState | null;
  /** When what it is now was brought. */
  readonly at: string;
}

/**
 * A plan that has deployments as they were before their last change, or without names those that the last change of the
 * fleet brought. Changes nothing, the file included. Throws DEPLOYMENT_UNKNOWN, NOTHING_BEFORE where nothing is known, and SECRET_NOT_NAMED.
 */
export async function prepareRollback(
  world: World,
  loaded: LoadedFleet,
  names: readonly string[],
): Promise<Plan> {
  expectNamed(names, loaded);
  const seen = await observeFleet(world, loaded.hosts);
  const own = instancesOf(seen, loaded);
  const deployments = loaded.deployments.filter(
    (one) => unseenFault(seen, one) === null && (names.length === 0 || names.includes(one.name)),
  );
  const found = await Promise.all(deployments.map((one) => candidatesOf(world, one, { loaded, own })));
  const chosen = choose(found.flat(), names);
  await expectNamedIn(world, loaded, chosen);
  const only = [...new Set(chosen.map((one) => one.deployment.name))];
  const plan = await preparePlan(world, loaded, {
    only,
    refresh: true,
    instead: found
      .flat()
      .filter((one) => only.includes(one.deployment.name))
      .flatMap((one) => wantedAgain(one, chosen.includes(one))),
  });
  return explained(plan, chosen);
}

async function candidatesOf(
  world: World,
  deployment: Deployment,
  { loaded, own }: { loaded: LoadedFleet; own: readonly Instance[] },
): Promise<Candidate[]> {
  const host = await worldOfHost(world, loaded.hosts, deployment.host);
  const machine = machineOf(loaded.hosts[deployment.host]);
  const there = own.filter((one) => one.mark?.deployment === deployment.name && one.host === machine);
  const replicas = new Set([
    ...Array.from({ length: deployment.replicas }, (_, index) => index),
    ...there.flatMap(({ mark }) => mark?.replica ?? []),
  ]);
  return Promise.all(
    [...replicas].map(async (replica): Promise<Candidate> => {
      const one = there.find(({ mark, alive }) => alive && mark?.replica === replica);
      const mark = one?.mark ?? null;
      const { name, target } = deployment;
      const place = { deployment: name, replica, target: mark?.target ?? target };
      const states = await readRan(host, loaded, place);
      const now = mark
        ? { ...mark, pinned: false }
        : await asTheFileSays(world, loaded, { deployment, states });
      const at = states.at(-1)?.at ?? one?.startedAt ?? '';
      return { deployment, replica, mark, before: stateBefore(states, now), at };
    }),
  );
}

/** Nothing runs there: the next apply would start what the file says, so that is what is gone back from. */
async function asTheFileSays(
  world: World,
  loaded: LoadedFleet,
  { deployment, states }: { deployment: Deployment; states: readonly RanState[] },
): Promise<Omit<RanState, 'at'> | null> {
  if (states.length === 0) return null;
  try {
    const [wanted] = await desiredReplicas(world, { ...loaded, deployments: [deployment] });
    const { target, declared, port } = deployment;
    if (!wanted) return null;
    return {
      target,
      declared: { ...declared },
      address: '',
      port: port ?? 0,
      pinned: port !== null,
      spec: wanted.spec,
    };
  } catch (error) {
    // What the file says may not even be possible, which is a good reason to go back.
    if (!(error instanceof BerthError)) throw error;
    return null;
  }
}

/** Pure. Throws NOTHING_BEFORE, and DEPLOYMENT_PROTECTED for what would have to be named. */
function choose(candidates: readonly Candidate[], names: readonly string[]): Candidate[] {
  const able = candidates.filter((one) => one.before !== null);
  const unable = names.find((name) => !able.some((one) => one.deployment.name === name));
  if (unable !== undefined) throw new BerthError('NOTHING_BEFORE', { deployment: unable });
  if (names.length > 0) return able;
  // Of all: a change that only started engines anew is not taken back by undoing the one before it.
  const last = candidates
    .map(({ at }) => at)
    .toSorted()
    .at(-1);
  const changed = able.filter(({ at }) => at === last);
  if (changed.length === 0) throw new BerthError('NOTHING_BEFORE', { deployment: null });
  const kept = changed.filter((one) => one.mark && one.deployment.protect).map((one) => one.deployment.name);
  if (kept.length === 0) return changed;
  const protectedNames = [...new Set(kept)];
  throw new BerthError('DEPLOYMENT_PROTECTED', {
    changes: protectedNames.map((name) => `replace ${name}`),
    names: protectedNames,
  });
}

/** Throws SECRET_NOT_NAMED: what ran before is kept where others may change it. */
async function expectNamedIn(world: World, loaded: LoadedFleet, chosen: readonly Candidate[]): Promise<void> {
  for (const { deployment, mark, before } of chosen) {
    if (!before) continue;
    const host = await worldOfHost(world, loaded.hosts, deployment.host);
    // As trusted as what runs there now, which has it with it; and it is to be given them where it comes back.
    for (const target of [mark?.target ?? deployment.target, before.target])
      expectNamedSecrets(host, { ...loaded, deployment: deployment.name, target, spec: before.spec });
  }
}

/** As it was; a replica of the same deployment that has no earlier state stays as it is. */
function wantedAgain({ deployment, replica, mark, before }: Candidate, goesBack: boolean): DesiredReplica[] {
  const state = goesBack ? before : mark && { ...mark, pinned: false };
  if (!state) return [];
  const { target, declared, port, pinned } = state;
  const spec = foundAgain(state.spec, { ...deployment.engine });
  return [{ deployment: { ...deployment, target, declared, port: pinned ? port : null }, replica, spec }];
}

function explained(plan: Plan, chosen: readonly Candidate[]): Plan {
  const actions = plan.actions.map((action): Action => {
    const back = chosen.find(
      (one) => one.deployment.name === action.deployment && one.replica === action.replica,
    );
    if (!back?.before || action.do === 'keep') return action;
    const text = `back to what it was since ${back.before.at}`;
    const stated = action.reasons.filter((reason) => reason.field !== null);
    const reasons: Reason[] = [{ field: null, text }, ...stated];
    return { ...action, reasons };
  });
  return { ...plan, actions, findings: [...plan.findings, ...fileSaysOtherwise(actions)] };
}

function fileSaysOtherwise(actions: readonly Action[]): Finding[] {
  const changed = actions.filter((action) => action.do !== 'keep').map((action) => action.deployment);
  return [...new Set(changed)].map((object) => ({
    rule: 'file-says-otherwise',
    severity: 'warning',
    object,
    message: 'The fleet file is left as it is, and the next "berth apply" brings in again what it says.',
    evidence: [object],
    cure: 'Change the file as well if it is to stay like this.',
  }));
}
