import type { ObservedUnit } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';

/** Servers in units whose files start a model server are kept by those, be they called as what keeps other things ("tmux.service"). */
export function inOwnUnits(
  servers: readonly ScannedServer[],
  units: readonly ObservedUnit[],
): ScannedServer[] {
  return servers.map((server) => {
    const { kind, name } = server.owner;
    const unit = kind === 'session' || kind === 'supervisor' ? units.find((one) => one.name === name) : null;
    return unit ? { ...server, owner: { ...server.owner, kind: `${unit.scope}-unit` } } : server;
  });
}
