import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayAction, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { carryOutGateway } from './carry-out.ts';
import type { CarryingOut } from './carry-out.ts';

export interface GatewaysDone {
  readonly done: readonly GatewayAction[];
  readonly notDone: readonly GatewayAction[];
  readonly failure: BerthError | null;
}

/** One after the other: what is new serves before what is old ends. Stops at the first that fails. */
export async function carryOutGateways(world: World, plan: Plan, how: CarryingOut): Promise<GatewaysDone> {
  const left = (plan.gateways ?? []).filter((action) => action.do !== 'keep');
  const done: GatewayAction[] = [];
  try {
    for (const action of left) {
      await carryOutGateway(world, plan, action, how);
      done.push(action);
    }
    return { done, notDone: [], failure: null };
  } catch (error) {
    const notDone = left.filter((action) => !done.includes(action));
    return { done, notDone, failure: faultOf(error, how.signal, notDone.length) };
  }
}

/** Throws what is no fault that berth knows. */
function faultOf(error: unknown, signal: AbortSignal, left: number): BerthError {
  if (error instanceof BerthError) return error;
  if (!signal.aborted) throw error;
  return new BerthError('APPLY_INTERRUPTED', { left }, { cause: error });
}
