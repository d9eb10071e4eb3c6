import type { ApiFault } from '../../domain/openai.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { swapAsk } from '../on-demand/swap-paths.ts';
import type { GatewayState } from '../state.ts';
import { isStoredPath } from '../stored/stored-responses.ts';
import { upstreamEndpoint, upstreamPrefix, withoutQuery } from '../upstream/upstream-path.ts';
import { endpointAt, ownPaths } from './endpoints.ts';

export const modelPath = '/v1/models/';

/** Of the gateway's own paths those that programs ask again and again, to see whether it is well. */
const watched = new Set<string>(ownPaths.filter((path) => path !== '/v1/models'));

/** It is told to the access log that the gateway refused what never became a call. */
export function noteRefusal(
  { observer, snapshot }: GatewayState,
  inbound: Inbound | null,
  { status, code }: ApiFault,
  id: string,
): void {
  const endpoint = inbound ? nameOf(inbound) : '';
  observer.answered({ id, key, endpoint, status, code: code ?? 'refused', inbound });
  function key(): string {
    return inbound === null || status === 401 ? '' : keyOf(snapshot, inbound);
  }
}

/** "" where it shows none, or one that is not good. */
function keyOf({ keyring }: GatewayState['snapshot'], inbound: Inbound): string {
  try {
    return keyring.identify(inbound).id;
  } catch {
    return '';
  }
}

/** The same of what it answered itself, but for looks at how it is. */
export function noteServed({ observer }: GatewayState, inbound: Inbound, id: string, key: string): void {
  if (watched.has(withoutQuery(inbound.url))) return;
  observer.answered({ id, key: () => key, endpoint: nameOf(inbound), status: 200, code: null, inbound });
}

/** Nothing of it is the client's own: it may have put a key there. */
function nameOf(inbound: Inbound): string {
  const path = withoutQuery(inbound.url);
  if (endpointAt.has(path) || (ownPaths as readonly string[]).includes(path)) return path;
  if (path.startsWith(upstreamPrefix)) return upstreamEndpoint.path;
  if (path.startsWith(modelPath)) return '/v1/models';
  if (isStoredPath(path)) return '/v1/responses';
  const swap = swapAsk(path);
  return swap ? `/${swap.kind}` : '';
}
