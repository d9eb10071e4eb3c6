import type { Plan, Running } from '../../domain/plan.ts';
import type { Successor, Traffic } from './traffic.ts';

/** An engine that runs and answers is to take the place of another one of its replica, which still serves. */
export interface Handover {
  readonly plan: Plan;
  readonly deployment: string;
  readonly replica: number;
  readonly from: { readonly host: string; readonly machine: string; readonly running: Running };
  readonly to: Successor & { readonly host: string };
}

/**
 * Gives the newer one more and more of the requests before it gets all of them. Throws where it is worse, with the requests back
 * at the older one.
 */
export type Ease = (traffic: Traffic, handover: Handover) => Promise<void>;
