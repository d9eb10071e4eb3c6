import type { ObservedContainer } from '../../domain/audit/observation.ts';
import { portsOf } from './published-as.ts';
import type { PortBindings } from './published-as.ts';

/** What "inspect" says of the ports of a container: as it was asked for, and as its daemon has done it while it runs. */
export interface PortFacts {
  readonly NetworkSettings?: { readonly Ports?: PortBindings | null | undefined } | null | undefined;
  readonly HostConfig: { readonly PortBindings?: PortBindings | null | undefined };
}

/**
 * Ports of the machine that lead into a container. A daemon may have an address of its own where none is said, and picks a port where
 * none is fixed: while it runs, what it did counts. A stopped one wants what is fixed alone. Pure.
 */
export function reachedPorts(container: PortFacts): ObservedContainer['published'] {
  const fixed = portsOf(container.HostConfig.PortBindings ?? {});
  const done = portsOf(container.NetworkSettings?.Ports ?? {});
  if (done.length === 0) return fixed;
  return done.map((one) => ({
    ...one,
    ...(fixed.some(({ port, to }) => port === one.port && to === one.to) ? {} : { picked: true as const }),
  }));
}
