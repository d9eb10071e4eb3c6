import type { Upstream } from '../../domain/gateway-config.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { hostName } from '../../io/machine.ts';

/**
 * Name of the engine at a URL, in all gateways of a fleet: what is on loopback is of one machine, others have one address for all.
 * `machine`: whose loopback it is; absent: this one's.
 */
export function engineName({ machine = '', url }: { machine?: string | undefined; url: string }): string {
  const { hostname } = new URL(url);
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) return `instance:${url}`;
  // A cluster has no loopback of its own: what it shows there is this machine's.
  return `instance:${machine.startsWith('ssh://') ? machine : hostName()} ${url}`;
}

export function engineNameOf({ origin, url }: Pick<Upstream, 'origin' | 'url'>): string {
  return engineName(origin ?? { url });
}
