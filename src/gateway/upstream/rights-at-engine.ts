import type { Call } from '../front/call.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Instance } from '../routing/instance.ts';
import { requireComputed } from './computed-route.ts';
import { upstreamEndpoint } from './upstream-path.ts';
import { requireRights } from './upstream-rights.ts';

/**
 * Whether a request below `/upstream/` may go to this very engine. It was judged when it came, by the engines that its route had then;
 * while it waited, or was tried at another, a reload may have put this one there. Throws ApiError 401, 403 or 503.
 */
export function requireAtEngine(
  call: Call,
  { upstream }: Instance,
  snapshot: Pick<Snapshot, 'config' | 'keyring' | 'routes'>,
): void {
  const { caller, endpoint, exact, inbound } = call;
  if (!exact || endpoint !== upstreamEndpoint) return;
  requireRights({ caller, exact, inbound }, [upstream], snapshot);
  requireComputed(call, upstream, snapshot);
}
