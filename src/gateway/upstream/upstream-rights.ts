import { computes } from './computing-paths.ts';
import { isHarmlessRead, isReading } from './harmless-reads.ts';

/** What a request that goes to an engine as it is may do there. */
export interface ExactAsk {
  readonly method: string;
  /** At the engine, without a query. */
  readonly path: string;
  /** Requests want no key, so that the engine is as open as its own port. */
  readonly open: boolean;
  /** Some engine that it may reach is a server elsewhere, with the operator's key. */
  readonly lent: boolean;
}

/**
 * It may change the engine, show what others ask it, or use the operator's account at a server elsewhere: that is for keys of control.
 * What is not known to be harmless counts as such. Pure.
 */
export function wantsControl({ method, path, open, lent }: ExactAsk): boolean {
  if (computes(method, path)) return false;
  if (open && !lent) return false;
  return !(isReading(method) && isHarmlessRead(path, lent));
}
