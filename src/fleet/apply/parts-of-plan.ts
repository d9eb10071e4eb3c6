import type { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Plan } from '../../domain/plan.ts';
import { unseenFault } from '../observe/observe.ts';
import type { Sight } from '../observe/observe.ts';
import type { Change } from '../plan/order.ts';
import { inRuns } from './side-by-side.ts';

/** Faults of the targets that its actions need. Pure. */
export function unseenOf({ actions }: Plan, sight: Sight): BerthError[] {
  return actions.flatMap((action) => {
    const wanted = action.do === 'start' || action.do === 'replace' ? [action.wanted.target] : [];
    const running = action.do === 'start' ? [] : [action.running.target];
    return [...wanted, ...running].flatMap(
      (target) => unseenFault(sight, { host: action.host, target }) ?? [],
    );
  });
}

/** What is started on different machines has nothing in common; on one it shares memory, disk and GPUs. Pure. */
export function independent({ hosts }: Plan, ordered: readonly Change[]): Change[][][] {
  return inRuns(ordered, {
    belongs: (action) => action.do === 'start',
    keyOf: (action) => machineOf(hosts[action.host]),
  });
}

/** Where an action has changed something. */
export function placesOf(action: Change): { host: string; target: string }[] {
  const { host } = action;
  const kinds = [
    ...(action.do === 'start' ? [] : [action.running.target.kind]),
    ...(action.do === 'stop' ? [] : [action.wanted.target.kind]),
  ];
  return kinds.map((target) => ({ host, target }));
}
