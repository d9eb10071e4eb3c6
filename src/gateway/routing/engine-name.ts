import type { Upstream } from '../../domain/gateway-config.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { machineIdentity } from '../../io/machine-identity.ts';

export interface EnginePlace {
  readonly url: string;
  /** Whose loopback it is; absent: this machine's. */
  readonly machine?: string | undefined;
  /** As that machine tells it of itself. */
  readonly identity?: string | undefined;
}

/** Name of an engine in all gateways of a fleet: what is on loopback is of one machine, others have one address for all. */
export function engineName({ machine = '', url, identity }: EnginePlace): string {
  const { hostname } = new URL(url);
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ''))) return `instance:${url}`;
  // A cluster has no loopback of its own: what it shows there is this machine's.
  return `instance:${identity ?? (machine.startsWith('ssh://') ? machine : machineIdentity())} ${url}`;
}

export function engineNameOf({ origin, url }: Pick<Upstream, 'origin' | 'url'>): string {
  return engineName(origin ?? { url });
}

/** The same of a place that is known by its machine alone, as far as one of these engines is there. */
export function engineNameAmong(
  engines: Iterable<{ readonly upstream: Pick<Upstream, 'origin'> }>,
  place: Pick<EnginePlace, 'url' | 'machine'>,
): string {
  for (const { upstream } of engines)
    if (upstream.origin && upstream.origin.machine === place.machine)
      return engineName({ ...place, identity: upstream.origin.identity });
  return engineName(place);
}
