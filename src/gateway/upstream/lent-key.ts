import type { Call } from '../front/call.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Instance } from '../routing/instance.ts';
import { upstreamEndpoint } from './upstream-path.ts';
import { requireRights } from './upstream-rights.ts';

/**
 * Whether a request below `/upstream/` may use the operator's key at this very server elsewhere. It was judged when it came, by the
 * engines that its route had then; while it waited, or was tried at another, a reload may have put this one there. Throws ApiError
 * 401 or 403.
 */
export function requireLent(
  { caller, endpoint, exact, inbound }: Call,
  { upstream }: Instance,
  snapshot: Pick<Snapshot, 'config' | 'keyring'>,
): void {
  if (!exact || endpoint !== upstreamEndpoint || !upstream.lentKey) return;
  requireRights({ caller, exact, inbound }, true, snapshot);
}
