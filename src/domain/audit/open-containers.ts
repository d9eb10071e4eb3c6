import { isLoopback } from '../loopback.ts';
import type { ScannedServer } from '../scan-report.ts';
import { urlHost } from '../url-host.ts';
import { isOf } from './container-server.ts';
import type { ObservedContainer, ObservedHost } from './observation.ts';
import { listenPort } from './server-port.ts';

/**
 * By which ways others on the network reach the server of a running container, where no socket of its process tells that already:
 * the kernel itself may lead a port into it, and rights may hide the sockets of one in the network of the machine.
 */
export function openWays(
  container: ObservedContainer,
  { servers, listeners }: Pick<ObservedHost, 'servers' | 'listeners'>,
): string[] {
  const { id, starts, state, marked, shares } = container;
  if (state !== 'running') return [];
  const open = container.published.filter(
    ({ address, to }) => !isLoopback(address) && (starts.port === null || to === starts.port),
  );
  function isOpen({ address, port, here }: ScannedServer['endpoints'][number]): boolean {
    return here && !isLoopback(address) && open.some((one) => one.port === port);
  }
  const isSeen = servers.some(
    ({ owner, endpoints }) =>
      (owner.kind === 'container' && isOf(owner.name, id) && endpoints.some((one) => one.here)) ||
      (marked && owner.kind === 'berth' && endpoints.some(isOpen)),
  );
  if (isSeen) return [];
  return [
    ...open.map((one) => `${urlHost(one.address)}:${one.port} leads to its port ${one.to}.`),
    ...(shares.includes('network') && !marked ? openOf(starts, listeners) : []),
  ];
}

/** In the network of the machine: what its definition says, or who listens on its port. */
function openOf(starts: ObservedContainer['starts'], listeners: ObservedHost['listeners']): string[] {
  const port = listenPort(starts);
  const found = listeners.find((one) => one.here && one.port === port && !isLoopback(one.address));
  const address = found?.address ?? starts.host;
  if (address === null || isLoopback(address)) return [];
  return [
    `It listens on ${urlHost(address)}${port === null ? '' : `:${port}`} in the network of its machine.`,
  ];
}
