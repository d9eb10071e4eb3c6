import type { ObservedUnit } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';

/**
 * Servers with what their units tell of them: one whose file starts a model server keeps it, be it called as what keeps other things
 * ("tmux.service"), and one that systemd-run has made cannot be disabled.
 */
export function inOwnUnits(
  servers: readonly ScannedServer[],
  units: readonly ObservedUnit[],
): ScannedServer[] {
  return servers.map((server) => {
    const { kind, name } = server.owner;
    const isOpen = kind === 'session' || kind === 'supervisor';
    const unit = units.find((one) => one.name === name && (isOpen || kind === `${one.scope}-unit`));
    if (!unit) return server;
    const transient = unit.path.includes('/systemd/transient/') ? { transient: true } : {};
    return { ...server, ...transient, owner: { ...server.owner, kind: `${unit.scope}-unit` } };
  });
}
