import { replicaName } from '../plan/desired.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import { usualIdleMs } from '../gateway/gateway-config.ts';
import type { HungPorts } from './hung-watch.ts';
import { requestView } from '../observe/live-requests.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** What tells an engine that hangs from one that works: how patient the file is, and what goes through the gateway. */
export function hungPorts(
  loaded: () => LoadedFleet,
  gateway: () => Pick<GatewayChild, 'ask'> | null,
): HungPorts {
  const view = requestView(gateway);
  function find(name: string) {
    return loaded().deployments.find((one) => one.name === name);
  }
  return {
    patience: (name) => {
      const idleMs = find(name)?.hungAfter ?? 0;
      return idleMs === 0 ? null : { idleMs, busyMs: loaded().gateway.limits.idle ?? usualIdleMs };
    },
    requests: async () => (gateway() ? await view.list() : null),
    idOf: ({ deployment, replica }) => replicaName(deployment, replica, find(deployment)?.replicas ?? 1),
  };
}
