import type { ScannedServer } from '../scan-report.ts';
import type { ObservedContainer, ObservedHost } from './observation.ts';

type Host = Pick<ObservedHost, 'servers' | 'containers'>;

/**
 * The server that a container's process is told as; undefined where rights, or a daemon elsewhere, hide it. By its id, else by the unit
 * that keeps it, else by its words, which servers of other containers and of units may have too.
 */
export function serverOf(container: ObservedContainer, host: Host): ScannedServer | undefined {
  if (container.state !== 'running') return undefined;
  const { servers, containers } = host;
  const byId = servers.find(({ owner }) => owner.kind === 'container' && isOf(owner.name, container.id));
  if (byId) return byId;
  const inUnit = servers.filter(
    ({ owner }) =>
      (owner.kind === 'system-unit' || owner.kind === 'user-unit') &&
      container.managedBy === `unit ${owner.name}`,
  );
  // The system and a user may each have a unit of this name.
  if (inUnit.length > 0)
    return inUnit.find((one) => haveOneCommand(one, container)) ?? (inUnit[1] ? undefined : inUnit[0]);
  return servers.find(
    (one) =>
      haveOneCommand(one, container) &&
      !['system-unit', 'user-unit', 'pod'].includes(one.owner.kind) &&
      !(one.owner.kind === 'container' && containers.some(({ id }) => isOf(one.owner.name, id))),
  );
}

function haveOneCommand({ command }: ScannedServer, { starts }: ObservedContainer): boolean {
  return command.join('\0') === starts.command.join('\0');
}

/** Containers that are judged by themselves: one of the fleet is told as its deployment while it runs. */
export function ownContainers({ containers }: Pick<ObservedHost, 'containers'>): ObservedContainer[] {
  return containers.filter(({ marked, state }) => !(marked && state === 'running'));
}

/** Containers that no process stands for: what is wrong with their definition is told of themselves. */
export function unseenContainers(host: Host): ObservedContainer[] {
  return ownContainers(host).filter((one) => serverOf(one, host) === undefined);
}

/** Those of them that run, and so meet their limits. */
export function runningUnseen(host: Host): ObservedContainer[] {
  return unseenContainers(host).filter(({ state }) => state === 'running');
}

/** "docker 3f2a…", of a container with this id. */
export function isOf(owner: string, id: string): boolean {
  const short = owner.split(' ')[1] ?? '';
  return short !== '' && id.startsWith(short);
}
