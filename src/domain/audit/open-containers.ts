import { isLoopback } from '../loopback.ts';
import type { ScannedServer } from '../scan-report.ts';
import { isSocketFile } from '../socket-file.ts';
import { urlHost } from '../url-host.ts';
import { serverOf } from './container-server.ts';
import type { ObservedContainer, ObservedHost } from './observation.ts';
import { listenPort } from './server-port.ts';

type Host = Pick<ObservedHost, 'servers' | 'containers' | 'listeners'>;

/**
 * By which ways others on the network reach the server of a running container, where no socket of its process tells that already:
 * the kernel itself may lead a port into it, and rights may hide the sockets of one in the network of the machine.
 */
export function openWays(container: ObservedContainer, host: Host): string[] {
  const { starts, state, marked, shares } = container;
  if (state !== 'running') return [];
  const open = container.published.filter(
    ({ address, to }) => !isLoopback(address) && (starts.port === null || to === starts.port),
  );
  if (isSeen(container, open, host)) return [];
  return [
    ...open.map((one) => `${urlHost(one.address)}:${one.port} leads to its port ${one.to}.`),
    ...(shares.includes('network') && !marked ? openOf(container, host) : []),
  ];
}

/** Whether its process is told, with its sockets. What has its words alone may be another: that one has to listen where it would. */
function isSeen(container: ObservedContainer, open: ObservedContainer['published'], host: Host): boolean {
  function isOpen({ address, port, here }: ScannedServer['endpoints'][number]): boolean {
    return here && !isLoopback(address) && open.some((one) => one.port === port);
  }
  const its = serverOf(container, host);
  const isKept = its !== undefined && ['container', 'system-unit', 'user-unit'].includes(its.owner.kind);
  return (
    its?.endpoints.some((one) => isOpen(one) || (one.here && isKept)) === true ||
    (container.marked &&
      host.servers.some(({ owner, endpoints }) => owner.kind === 'berth' && endpoints.some(isOpen)))
  );
}

/** In the network of the machine: what its definition says, or who listens on its port where nobody else is known to. */
function openOf(container: ObservedContainer, host: Host): string[] {
  const { starts } = container;
  if (starts.host !== null && (isLoopback(starts.host) || isSocketFile(starts.host))) return [];
  const port = listenPort(starts);
  const pid = serverOf(container, host)?.process.pid ?? null;
  const found = host.listeners.find(
    (one) =>
      one.here && one.port === port && !isLoopback(one.address) && (one.pid === null || one.pid === pid),
  );
  const address = found?.address ?? starts.host;
  if (address === null) return [];
  return [
    `It listens on ${urlHost(address)}${port === null ? '' : `:${port}`} in the network of its machine.`,
  ];
}
