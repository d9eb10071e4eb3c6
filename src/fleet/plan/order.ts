import { machineOf } from '../../domain/host-access.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Action, Plan } from '../../domain/plan.ts';

export type Change = Exclude<Action, { do: 'keep' }>;
export type Stop = Extract<Action, { do: 'stop' }>;
type Successor = Extract<Action, { do: 'start' } | { do: 'keep' }>;

/**
 * In which order a plan is carried out: what ends comes first, since that frees ports and memory, then what is replaced, those that
 * give up GPUs before those that want more of them; but an engine whose replica is started on another host ends when that one serves. Where its port is wanted here, it comes before whoever waits for that; and where
 * two wait for each other's ports, it ends first, and `parts`. Pure.
 */
export function inOrder({ actions, hosts }: Pick<Plan, 'actions' | 'hosts'>): Change[] {
  const changes = actions.filter((action): action is Change => action.do !== 'keep');
  const ordered = new Set<Change>();
  function add(action: Change): void {
    if (ordered.has(action)) return;
    if (action.do === 'stop') {
      const next = successorOf(actions, action);
      if (next?.do === 'start' && !parts({ actions, hosts }, action)) add(next);
    } else for (const stop of holdersOf({ actions, hosts }, action)) add(stop);
    ordered.add(action);
  }
  function rankOf(action: Change): number {
    if (action.do === 'replace') return 1;
    if (action.do === 'start') return 2;
    return successorOf(actions, action)?.do === 'start' && !parts({ actions, hosts }, action) ? 3 : 0;
  }
  for (const action of changes.toSorted((a, b) => rankOf(a) - rankOf(b) || gpusMore(a) - gpusMore(b)))
    add(action);
  return [...ordered];
}

/** GPUs that an engine of this spec holds; of those that take all there are, one is sure. */
export function gpusHeld({ devices: { vendor, count } }: Pick<LaunchSpec, 'devices'>): number {
  return vendor === 'none' ? 0 : Math.max(1, count);
}

/** How many more it holds in its place than it does now. */
function gpusMore(action: Change): number {
  return action.do === 'replace' ? gpusHeld(action.wanted.spec) - (action.running.gpus ?? 0) : 0;
}

/** It has to end before its replica can start elsewhere, since that one waits, by way of others or not, for this one's end. Pure. */
export function parts(plan: Pick<Plan, 'actions' | 'hosts'>, stop: Stop): boolean {
  const seen = new Set<Stop>();
  function waitsForIt(start: Exclude<Change, Stop>): boolean {
    return holdersOf(plan, start).some((holder) => {
      if (holder === stop) return true;
      const next = successorOf(plan.actions, holder);
      if (seen.has(holder) || next?.do !== 'start') return false;
      seen.add(holder);
      return waitsForIt(next);
    });
  }
  const next = successorOf(plan.actions, stop);
  return next?.do === 'start' && waitsForIt(next);
}

/** What must end first, since it has the port that this one is to have. */
function holdersOf(
  { actions, hosts }: Pick<Plan, 'actions' | 'hosts'>,
  { host, wanted }: Exclude<Change, Stop>,
): Stop[] {
  return actions.filter(
    (other): other is Stop =>
      other.do === 'stop' &&
      machineOf(hosts[other.host]) === machineOf(hosts[host]) &&
      other.running.port === wanted.port,
  );
}

/** It holds a port that another one is to get, so that it ends before that one starts. Pure. */
export function isInTheWay(all: readonly Action[], action: Extract<Action, { do: 'replace' }>): boolean {
  return takerOf(all, action) !== null;
}

/** Who is to get its port; null: nobody. Pure. */
export function takerOf(
  all: readonly Action[],
  { deployment, replica, host, running }: Extract<Action, { do: 'replace' }>,
): Exclude<Change, Stop> | null {
  const taker = all.find(
    (other): other is Exclude<Change, Stop> =>
      (other.do === 'start' || other.do === 'replace') &&
      (other.deployment !== deployment || other.replica !== replica) &&
      other.host === host &&
      other.wanted.port === running.port,
  );
  return taker ?? null;
}

/** The engine of the same replica that serves once this one has ended; null where none does. */
export function successorOf(actions: readonly Action[], stop: Stop): Successor | null {
  return (
    actions.find(
      (other): other is Successor =>
        (other.do === 'start' || other.do === 'keep') &&
        other.deployment === stop.deployment &&
        other.replica === stop.replica,
    ) ?? null
  );
}
