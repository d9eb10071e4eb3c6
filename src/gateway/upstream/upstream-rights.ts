import type { Inbound } from '../../io/http-server/types.ts';
import type { Caller } from '../front/caller.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { computes } from './computing-paths.ts';
import { isHarmlessRead, isReading } from './harmless-reads.ts';
import { withoutQuery } from './upstream-path.ts';
import type { Exact } from './upstream-path.ts';

/** What a request that goes to an engine as it is may do there. */
interface ExactAsk {
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
function wantsControl({ method, path, open, lent }: ExactAsk): boolean {
  if (computes(method, path)) return false;
  if (open && !lent) return false;
  return !(isReading(method) && isHarmlessRead(path, lent));
}

/** Whether it may be asked of an engine as it is; `lent`: one that it may reach is a server elsewhere with the operator's key. Throws ApiError 401 or 403. */
export function requireRights(
  { caller, exact, inbound }: { readonly caller: Caller; readonly exact: Exact; readonly inbound: Inbound },
  lent: boolean,
  { config, keyring }: Pick<Snapshot, 'config' | 'keyring'>,
): void {
  const path = withoutQuery(exact.target);
  if (caller.control || !wantsControl({ method: inbound.method, path, open: config.anonymous, lent })) return;
  keyring.requireControl(inbound);
}
