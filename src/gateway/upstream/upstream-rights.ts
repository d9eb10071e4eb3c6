import type { Upstream } from '../../domain/gateway-config.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import type { Caller } from '../front/caller.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { computes } from './computing-paths.ts';
import { isHarmlessRead, isReading } from './harmless-reads.ts';
import { withoutQuery } from './upstream-path.ts';
import type { Exact } from './upstream-path.ts';

/** What the rights below `/upstream/` go by of an engine. */
export type Reached = Pick<Upstream, 'lentKey' | 'asItIs'>;

/** What a request that goes to an engine as it is may do there. */
interface ExactAsk {
  readonly method: string;
  /** At the engine, without a query. */
  readonly path: string;
  /** Requests want no key, so that the engine is as open as its own port. */
  readonly open: boolean;
  readonly engines: readonly Reached[];
}

/**
 * It may change the engine, show what others ask it, or use the operator's account at a server elsewhere: that is for keys of control.
 * What is not known to be harmless counts as such. Pure.
 */
function wantsControl({ method, path, open, engines }: ExactAsk): boolean {
  const kinds = engines.map(({ asItIs }) => asItIs);
  if (computes(method, path, kinds)) return false;
  const lent = engines.some(({ lentKey }) => lentKey);
  if (open && !lent) return false;
  return !(isReading(method) && isHarmlessRead(path, lent));
}

/** Whether it may be asked as it is of all of these engines, which it may reach; none: of any. Throws ApiError 401 or 403. */
export function requireRights(
  { caller, exact, inbound }: { readonly caller: Caller; readonly exact: Exact; readonly inbound: Inbound },
  engines: readonly Reached[],
  { config, keyring }: Pick<Snapshot, 'config' | 'keyring'>,
): void {
  const path = withoutQuery(exact.target);
  const reached = engines.length > 0 ? engines : unknown;
  const ask = { method: inbound.method, path, open: config.anonymous, engines: reached };
  if (caller.control || !wantsControl(ask)) return;
  keyring.requireControl(inbound);
}

/** Of none of which anything is known. */
const unknown: readonly Reached[] = [{}];
