import { machineOf } from '../../domain/host-access.ts';
import type { Action, Plan } from '../../domain/plan.ts';

export type Change = Exclude<Action, { do: 'keep' }>;
export type Stop = Extract<Action, { do: 'stop' }>;
type Successor = Extract<Action, { do: 'start' } | { do: 'keep' }>;

/**
 * In which order a plan is carried out: what ends comes first, since that frees ports and memory; but an engine whose replica is
 * started on another host ends last, when that one serves, unless its port is wanted before. Pure.
 */
export function inOrder({ actions, hosts }: Pick<Plan, 'actions' | 'hosts'>): Change[] {
  function rankOf(action: Change): number {
    if (action.do === 'replace') return 1;
    if (action.do === 'start') return 2;
    return successorOf(actions, action)?.do === 'start' && !isInTheWay(action) ? 3 : 0;
  }
  function isInTheWay(stop: Stop): boolean {
    return actions.some(
      (other) =>
        (other.do === 'start' || other.do === 'replace') &&
        machineOf(hosts[other.host]) === machineOf(hosts[stop.host]) &&
        other.wanted.port === stop.running.port,
    );
  }
  return actions
    .filter((action): action is Change => action.do !== 'keep')
    .toSorted((a, b) => rankOf(a) - rankOf(b));
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
